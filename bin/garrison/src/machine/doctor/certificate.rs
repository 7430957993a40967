//! The certificate of the server.

use garrison_base::Timestamp;

use super::Check;
use crate::config::{Config, Tls};
use crate::server::tls;

const NAME: &str = "certificate";

/// The files are there and fit, the certificate is valid, and good for the names the server is reached by.
pub fn check(config: &Config, now: Timestamp) -> Check {
    let fix = match config.server.tls {
        Tls::OwnCa => {
            "`garrison serve` issues it again when it starts, as long as ca.pem and ca.key are there and valid"
        }
        Tls::Files => "put a good certificate and its key where `server.certificate` and `server.key` say",
        Tls::Off => "",
    };
    let loaded = match tls::load(&config.server, &config.tls_dir(), now) {
        Ok(Some(loaded)) => loaded,
        Ok(None) => return Check::ok(NAME, "none: plain HTTP for a proxy on this machine"),
        Err(error) => return Check::fail(NAME, format!("{error:#}"), fix),
    };
    let missing: Vec<String> =
        config.server.reached_by().into_iter().filter(|host| !good_for(&loaded.names, host)).collect();
    if !loaded.warnings.is_empty() {
        return Check::warn(NAME, loaded.warnings.join("; "), fix);
    }
    let names = loaded.names.join(", ");
    if !missing.is_empty() {
        let what = format!("it is for {names}, but not for {}", missing.join(", "));
        return Check::warn(NAME, what, fix);
    }
    let days = loaded.until.duration_since(now).as_hours() / 24;
    Check::ok(NAME, format!("for {names}; {days} days left"))
}

/// Whether one of the names of a certificate is that of the host (RFC 9525, section 6.3: `*` stands for the
/// first label only).
fn good_for(names: &[String], host: &str) -> bool {
    let host = host.to_lowercase();
    let rest = host.split_once('.').map(|(_, rest)| rest);
    names.iter().any(|name| {
        let name = name.to_lowercase();
        name == host || (name.strip_prefix("*.").is_some() && name.strip_prefix("*.") == rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        let names = ["*.Siem.example".to_owned(), "127.0.0.1".to_owned()];
        for host in ["a.siem.example", "*.siem.example", "127.0.0.1"] {
            assert!(good_for(&names, host), "{host}");
        }
        for host in ["siem.example", "a.b.siem.example", "localhost", "1.127.0.0.1"] {
            assert!(!good_for(&names, host), "{host}");
        }
    }
}
