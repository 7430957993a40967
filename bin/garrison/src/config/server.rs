//! The server: console and API, and under which names it is reached.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use axum::http::Uri;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// The server: console and API.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port to listen on; 0.0.0.0 and [::] are all addresses of this machine
    pub listen: SocketAddr,
    /// Where browsers and programs reach the server: scheme, host and port, nothing behind. By default
    /// what `listen` says
    #[schemars(example = "https://garrison.example:8443")]
    pub public_url: Option<String>,
    /// Where the certificate comes from: own-ca, files, or off
    pub tls: Tls,
    /// The certificate and its chain in PEM, where `tls` is "files"
    #[schemars(extend("format" = "path"), example = "/etc/garrison/tls/server.pem")]
    pub certificate: Option<PathBuf>,
    /// The private key of the certificate in PEM, where `tls` is "files"
    #[schemars(extend("format" = "path"), example = "/etc/garrison/tls/server.key")]
    pub key: Option<PathBuf>,
    /// Further names and addresses that the certificate of the own authority is good for
    pub names: Vec<String>,
    /// Proxies whose word on the client's address is believed: networks or single addresses
    #[serde(deserialize_with = "networks")]
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<IpNet>,
    /// How many seconds requests may take to end when the server stops
    pub shutdown_seconds: u32,
}

/// Where the certificate of the server comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// From an authority of our own, made by `garrison init`
    #[default]
    OwnCa,
    /// From the files named by `certificate` and `key`
    Files,
    /// Nowhere: plain HTTP, for a proxy on the same machine
    Off,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            public_url: None,
            tls: Tls::default(),
            certificate: None,
            key: None,
            names: Vec::new(),
            trusted_proxies: Vec::new(),
            shutdown_seconds: 20,
        }
    }
}

impl Server {
    /// The origin under which the server is reached, without a slash at its end: `public_url`, else what
    /// `listen` says. An address that stands for all addresses is `localhost`.
    pub fn origin(&self) -> String {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        let (scheme, usual) = if self.tls == Tls::Off { ("http", 80) } else { ("https", 443) };
        let host = match self.listen.ip() {
            ip if ip.is_unspecified() => "localhost".to_owned(),
            IpAddr::V6(ip) => format!("[{ip}]"),
            IpAddr::V4(ip) => ip.to_string(),
        };
        match self.listen.port() {
            port if port == usual => format!("{scheme}://{host}"),
            port => format!("{scheme}://{host}:{port}"),
        }
    }

    /// The names and addresses that clients may reach the server by, as far as the configuration tells:
    /// `names`, the host of `public_url`, and the address it listens on.
    pub fn reached_by(&self) -> Vec<String> {
        let url = self.origin().parse::<Uri>().ok();
        let host = url.as_ref().and_then(Uri::host).map(|host| host.trim_matches(['[', ']']).to_owned());
        let ip = Some(self.listen.ip()).filter(|ip| !ip.is_unspecified()).map(|ip| ip.to_string());
        self.names.iter().cloned().chain(host).chain(ip).collect()
    }
}

/// Networks such as 10.0.0.0/8, and single addresses.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: String| {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(IpNet::from(address));
        }
        let wrong =
            || de::Error::custom(format!("{text} is not a network: write 10.0.0.0/8, or a single address"));
        let network: IpNet = text.parse().map_err(|_| wrong())?;
        if network == network.trunc() {
            return Ok(network);
        }
        Err(de::Error::custom(format!("{text} has bits set behind its prefix: write {}", network.trunc())))
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_follows_from_listen() {
        let origin =
            |listen: &str, tls| Server { listen: listen.parse().unwrap(), tls, ..Server::default() }.origin();
        assert_eq!(Server::default().origin(), "https://127.0.0.1:8443");
        assert_eq!(origin("0.0.0.0:443", Tls::OwnCa), "https://localhost");
        assert_eq!(origin("[::1]:8480", Tls::Off), "http://[::1]:8480");
        assert_eq!(origin("127.0.0.1:80", Tls::Off), "http://127.0.0.1");
        let named = Server {
            listen: "[2001:db8::1]:8443".parse().unwrap(),
            public_url: Some("https://garrison.example:8443".into()),
            names: vec!["siem.example".into()],
            ..Server::default()
        };
        assert_eq!(named.origin(), "https://garrison.example:8443");
        assert_eq!(named.reached_by(), ["siem.example", "garrison.example", "2001:db8::1"]);
    }
}
