//! The port that the server listens on.

use std::io::ErrorKind;
use std::net::TcpListener;

use super::Check;
use crate::config::Config;
use crate::machine::status::{Asked, ask};

const NAME: &str = "port";

/// The port is free, or held by a Garrison.
pub fn check(config: &Config) -> Check {
    let listen = config.server.listen;
    let Err(error) = TcpListener::bind(listen) else { return Check::ok(NAME, format!("{listen} is free")) };
    match error.kind() {
        ErrorKind::AddrInUse => holder(config),
        ErrorKind::AddrNotAvailable => Check::fail(
            NAME,
            format!("this machine does not have the address of {listen}"),
            "set `server.listen` to an address of this machine, or to 0.0.0.0 or [::] for all of them",
        ),
        ErrorKind::PermissionDenied => Check::fail(
            NAME,
            format!("{listen} may not be listened on: {error}"),
            "use a port above 1023, or AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit of systemd",
        ),
        _ => Check::fail(
            NAME,
            format!("{listen}: {error}"),
            "set `server.listen` to an address that can be used",
        ),
    }
}

fn holder(config: &Config) -> Check {
    let listen = config.server.listen;
    let fix = "`ss -tlnp` tells which program it is: end it, or set `server.listen` to another port";
    match ask(config) {
        Ok(Asked::Garrison(found)) if found.ready => {
            Check::ok(NAME, format!("Garrison {} listens on {listen}", found.version))
        }
        Ok(Asked::Garrison(found)) => Check::warn(
            NAME,
            format!("Garrison {} listens on {listen}, but is not ready: {}", found.version, found.database),
            "its log tells why",
        ),
        Ok(Asked::Other(error) | Asked::Nobody(error)) | Err(error) => {
            Check::fail(NAME, format!("{listen} is taken, and not by this Garrison: {error:#}"), fix)
        }
    }
}
