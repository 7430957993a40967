use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use garrison_kernel::{Method, Origin};
use ipnet::IpNet;

/// The proxies whose word about a client's address counts. Nobody else's does.
#[derive(Debug, Clone, Default)]
pub struct Proxies(pub Vec<IpNet>);

impl Proxies {
    /// The client's address: the connection's, or what a trusted proxy says, from the right, up to the first
    /// address that is not a trusted proxy.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let trusted = |ip: &IpAddr| self.0.iter().any(|net| net.contains(ip));
        if !trusted(&peer) {
            return peer;
        }
        let said = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let said: Vec<&str> = said.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut client = peer;
        for text in said.iter().rev() {
            let Ok(ip) = text.parse::<IpAddr>() else { break };
            client = ip;
            if !trusted(&ip) {
                break;
            }
        }
        client.to_canonical()
    }
}

/// A request's id, made by the server for every request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// From where a request comes; how is told once it is known who it is.
pub(crate) fn origin(parts: &Parts, proxies: &Proxies) -> Origin {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let peer = peer.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let agent: String =
        agent.unwrap_or_default().chars().filter(|char| !char.is_control()).take(200).collect();
    Origin {
        method: Method::Api,
        ip: proxies.client(peer.ip().to_canonical(), &parts.headers),
        port: peer.port(),
        agent: if agent.trim().is_empty() { "unknown".to_owned() } else { agent },
        session: "none".to_owned(),
        request: parts.extensions.get::<RequestId>().map_or_else(|| "none".to_owned(), |id| id.0.clone()),
        idempotency_key: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let proxies = Proxies(vec!["10.0.0.0/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.1.1.1".parse().unwrap());
        let seen = |peer: &str| proxies.client(peer.parse().unwrap(), &headers).to_string();
        assert_eq!(seen("192.0.2.1"), "192.0.2.1");
        assert_eq!(seen("10.0.0.1"), "198.51.100.7");
        headers.insert("x-forwarded-for", "garbage".parse().unwrap());
        assert_eq!(proxies.client("10.0.0.1".parse().unwrap(), &headers).to_string(), "10.0.0.1");
    }
}
