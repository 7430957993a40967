//! More connections than there are places.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::logs::{Siem, wait_for};

/// Connections that one address may have.
const SHARE: usize = 64;

#[test]
fn an_address_has_its_share_of_connections_and_no_more() {
    let siem = Siem::new("");
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", siem.syslog)).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        stream
    };
    let say = |mut stream: &TcpStream, program: &str| {
        // The other side may have gone.
        let _ = stream.write_all(format!("<86>1 - web-1 {program} - - - hello\n").as_bytes());
    };
    let mut open: Vec<TcpStream> = (0..SHARE).map(|_| connect()).collect();
    assert_eq!(connect().read(&mut [0]).unwrap(), 0, "nobody was silent for long, so the new one is refused");
    for stream in [&open[0], &open[SHARE - 1]] {
        say(stream, "early");
    }
    siem.await_found("program:early", 2);
    let counted = || siem.listed("syslog")["now"]["refused"].clone();
    wait_for("the refusal", || {
        if counted() == json!({ "connections": 1 }) { Ok(()) } else { Err(counted().to_string()) }
    });
    siem.await_found("program:garrison event:intake-refused", 1);

    drop(open.pop());
    wait_for("the free place", || {
        say(&connect(), "late");
        let found = siem.found("program:late").len();
        if found > 0 { Ok(()) } else { Err("nothing came".to_owned()) }
    });
}
