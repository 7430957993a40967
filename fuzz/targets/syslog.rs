//! Lines with a syslog priority: RFC 3164, RFC 5424, programs, firewall, Cisco.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::lines(b"<34>", data));
