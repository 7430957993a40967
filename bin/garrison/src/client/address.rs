//! Where a server is.

use std::net::IpAddr;

use ureq::http::Uri;

use crate::client::failure::Failure;

/// The origin of a server: `https://` and host, and a port where it is not the usual one. Plain `http://`
/// only for the machine itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Reads an address; without a scheme it is `https://`.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let bad = |why: &str| Failure::usage(format!("`{text}` is not the address of a server: {why}"));
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let uri: Uri = whole.parse().map_err(|_| bad("write https://NAME:PORT"))?;
        let authority = uri.authority().ok_or_else(|| bad("a name is missing"))?.as_str();
        if authority.contains('@') {
            return Err(bad("it must not hold a name or password"));
        }
        if uri.path() != "/" && !uri.path().is_empty() || uri.query().is_some() {
            return Err(bad("nothing may follow the name and the port"));
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback(uri.host().unwrap_or_default()) => {}
            Some("http") => return Err(bad("plain http is for this machine only, use https")),
            _ => return Err(bad("write https://NAME:PORT")),
        }
        Ok(Self(format!("{}://{authority}", uri.scheme_str().unwrap_or("https"))))
    }

    /// The address of the server and the secret of a one-time link.
    pub fn parse_link(link: &str) -> Result<(Self, String), Failure> {
        let (origin, secret) = link
            .split_once("/activate/")
            .ok_or_else(|| Failure::usage("the link must look like https://NAME:PORT/activate/gin_..."))?;
        Ok((Self::parse(origin)?, secret.trim().trim_end_matches('/').to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether connections are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        self.uri().is_some_and(|uri| is_loopback(uri.host().unwrap_or_default()))
    }

    /// Names for a context, the shortest first: the host, the host with its port.
    pub fn names(&self) -> [String; 2] {
        let uri = self.uri();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default().to_owned();
        let whole = uri.as_ref().and_then(Uri::authority).map(ToString::to_string).unwrap_or_default();
        [host, whole]
    }

    fn uri(&self) -> Option<Uri> {
        self.0.parse().ok()
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_may_be_used() {
        for (text, origin) in [
            ("https://siem.example:8443/", "https://siem.example:8443"),
            ("siem.example", "https://siem.example"),
            ("http://127.0.0.1:8480", "http://127.0.0.1:8480"),
            ("http://[::1]:8480", "http://[::1]:8480"),
        ] {
            assert_eq!(Address::parse(text).unwrap().as_str(), origin);
        }
        for bad in [
            "http://siem.example",
            "http://10.0.0.1",
            "https://a:b@x",
            "https://x/path",
            "ftp://x",
            "",
            "https://x?y",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_link_is_an_address_and_a_secret() {
        let (address, secret) = Address::parse_link("https://siem.example:8443/activate/gin_abc").unwrap();
        assert_eq!((address.as_str(), secret.as_str()), ("https://siem.example:8443", "gin_abc"));
        assert_eq!(address.names(), ["siem.example", "siem.example:8443"]);
        assert!(Address::parse_link("gin_abc").is_err());
    }
}
