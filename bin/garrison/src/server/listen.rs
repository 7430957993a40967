//! Taking connections: bound, limited, and ended in order.
//!
//! Written on hyper's own connections, because a limit is needed that a ready-made server does not have: a
//! client that connects and then says nothing, or says it byte by byte, must not hold a place. hyper's time
//! limit for headers does not run while it is still unknown whether HTTP/1 or HTTP/2 is spoken.

mod signals;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, Version};
use garrison_web::HangUp;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use sd_notify::NotifyState;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;
use tracing::{debug, warn};

use crate::config::Server;

pub use signals::stop_signals;

/// For the TLS handshake, and for the first request to arrive whole.
const PATIENCE: Duration = Duration::from_secs(10);

/// For the headers of each next request on HTTP/1: so long clients may keep a connection that they do not use.
const IDLE: Duration = Duration::from_mins(1);

/// All headers of a request together.
const HEADER_BYTES: u32 = 64 * 1024;

/// Requests at the same time on one connection of HTTP/2.
const STREAMS: u32 = 128;

/// A peer on HTTP/2 that does not answer a ping for as long is gone.
const PING: Duration = Duration::from_secs(20);

/// Connections at the same time; more wait in the kernel. Below the 1,024 files that a process may open by
/// default, with room for those of the database and the store.
const CONNECTIONS: usize = 768;

/// What every connection needs.
struct Shared {
    router: Router,
    tls: Option<TlsAcceptor>,
    builder: Builder<TokioExecutor>,
}

/// Serves until `stop` is cancelled; then requests that are under way have `shutdown_seconds` to end.
/// Handlers find the peer's address as `ConnectInfo<SocketAddr>`. A handler that streams without an end must
/// watch `stop` itself, or it is cut off when that time is over.
///
/// `on_ready` is called with the address when connections are taken, which a port of 0 leaves to the system.
/// systemd is told the same (`READY=1`), and `STOPPING=1` when the end begins.
///
/// # Errors
/// An address that cannot be listened on.
pub async fn serve(
    config: &Server,
    tls: Option<rustls::ServerConfig>,
    router: Router,
    stop: CancellationToken,
    on_ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("listening on {}, which is `server.listen`", config.listen))?;
    let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    let shared = Arc::new(Shared { router, tls, builder: builder() });
    let graceful = GracefulShutdown::new();
    let mut tasks = JoinSet::new();
    on_ready(listener.local_addr().context("asking for the address")?);
    notify(NotifyState::Ready);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let (stream, peer, place) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = tasks.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        let (shared, stop, watcher) = (Arc::clone(&shared), stop.clone(), graceful.watcher());
        tasks.spawn(async move {
            connection(&shared, stream, peer, (stop, watcher)).await;
            drop(place);
        });
    }
    notify(NotifyState::Stopping);
    // From here on connections are refused rather than left waiting.
    drop(listener);
    let ended = async {
        graceful.shutdown().await;
        while tasks.join_next().await.is_some() {}
    };
    if timeout(Duration::from_secs(config.shutdown_seconds.into()), ended).await.is_err() {
        warn!(
            connections = tasks.len(),
            "requests were cut off, because they took longer than `server.shutdown_seconds`"
        );
    }
    tasks.shutdown().await;
    Ok(())
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    let bytes = usize::try_from(HEADER_BYTES).unwrap_or(usize::MAX);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_BYTES)
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so that there always is a permit.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            // The client was faster in going than we in taking.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                // No file left, or no memory: asking again at once would fail again.
                warn!(%error, "a connection could not be taken");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(
    shared: &Shared,
    stream: TcpStream,
    peer: SocketAddr,
    (stop, watcher): (CancellationToken, Watcher),
) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = &shared.tls else { return requests(shared, stream, peer, watcher).await };
    let shaken = tokio::select! {
        shaken = timeout(PATIENCE, tls.accept(stream)) => shaken,
        () = stop.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) => requests(shared, stream, peer, watcher).await,
        Ok(Err(error)) => debug!(%peer, %error, "the TLS handshake failed"),
        Err(_) => debug!(%peer, "the TLS handshake took too long"),
    }
}

async fn requests<S>(shared: &Shared, stream: S, peer: SocketAddr, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (begun, hang_up) = (CancellationToken::new(), HangUp::default());
    let service = service_fn(|mut request: Request<Incoming>| {
        begun.cancel();
        request.extensions_mut().insert(ConnectInfo(peer));
        // On HTTP/2 other requests share the connection.
        if request.version() < Version::HTTP_2 {
            request.extensions_mut().insert(hang_up.clone());
        }
        let mut router = shared.router.clone();
        async move {
            Ok::<Response<Body>, Infallible>(
                router.call(request).await.unwrap_or_else(|never| match never {}),
            )
        }
    });
    let connection = shared.builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let silent = async {
        if timeout(PATIENCE, begun.cancelled()).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        ended = watcher.watch(connection) => {
            if let Err(error) = ended {
                debug!(%peer, %error, "the connection broke");
            }
        }
        () = hang_up.asked() => debug!(%peer, "nobody took an answer that had to end"),
        () = silent => debug!(%peer, "no request came in time"),
    }
}

/// Where systemd does not wait for it, this does nothing.
fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(%error, "systemd could not be told");
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::ConnectInfo;
    use axum::routing::get;
    use garrison_base::{Clock as _, SystemClock};
    use http_body_util::BodyExt as _;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, ServerName};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::JoinHandle;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;

    use super::super::tls;
    use super::*;
    use crate::config;

    const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

    struct Running {
        address: SocketAddr,
        stop: CancellationToken,
        ended: JoinHandle<anyhow::Result<()>>,
        keys: tempfile::TempDir,
    }

    impl Running {
        async fn start(tls: config::Tls) -> Self {
            let keys = tempfile::tempdir().unwrap();
            let server = Server { listen: SocketAddr::from(([127, 0, 0, 1], 0)), tls, ..Server::default() };
            let now = SystemClock.now();
            if tls == config::Tls::OwnCa {
                tls::make(keys.path(), &[], now).unwrap();
            }
            let tls = tls::load(&server, keys.path(), now).unwrap().map(|loaded| loaded.config);
            let router = Router::new()
                .route("/", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
                .route("/slow", get(async || sleep(Duration::from_secs(3)).await))
                .route("/never", get(std::future::pending::<()>));
            let stop = CancellationToken::new();
            let (ready, address) = tokio::sync::oneshot::channel();
            let until = stop.clone();
            let ended = tokio::spawn(async move {
                serve(&server, tls, router, until, |address| ready.send(address).unwrap()).await
            });
            Self { address: address.await.unwrap(), stop, ended, keys }
        }

        async fn plain(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }

        /// A client that trusts the authority of the server, and nobody else.
        async fn tls(&self, name: &str, protocol: &[u8]) -> io::Result<TlsStream<TcpStream>> {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(self.keys.path().join("ca.pem")).unwrap()).unwrap();
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let mut config = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            config.alpn_protocols = vec![protocol.to_vec()];
            let name = ServerName::try_from(name.to_owned()).unwrap();
            TlsConnector::from(Arc::new(config)).connect(name, self.plain().await).await
        }
    }

    /// Says something and listens until the other side ends.
    async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, said: &[u8]) -> String {
        stream.write_all(said).await.unwrap();
        let mut bytes = Vec::new();
        // A connection may also be ended by a reset.
        let _ = stream.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[tokio::test]
    async fn a_client_that_trusts_the_authority_is_served() {
        let running = Running::start(config::Tls::OwnCa).await;
        for name in ["localhost", "127.0.0.1", "::1"] {
            let stream = running.tls(name, b"http/1.1").await.unwrap();
            let peer = stream.get_ref().0.local_addr().unwrap().to_string();
            let text = answer(stream, ASK).await;
            assert!(text.starts_with("HTTP/1.1 200") && text.ends_with(&peer), "{text}");
        }
        let error = running.tls("elsewhere.example", b"h2").await.unwrap_err().to_string();
        assert!(error.contains("not valid for name"), "{error}");
        assert!(!answer(running.plain().await, ASK).await.contains("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn http_2_is_spoken() {
        let running = Running::start(config::Tls::OwnCa).await;
        let stream = running.tls("localhost", b"h2").await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let io = TokioIo::new(stream);
        let (mut send, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("https://localhost/").body(Body::empty()).unwrap();
        let answer = send.send_request(request).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
        assert!(answer.into_body().collect().await.unwrap().to_bytes().starts_with(b"127.0.0.1:"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_dawdles_is_left() {
        let plain = Running::start(config::Tls::Off).await;
        let keep_alive = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\nGET / HT";
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        for said in
            [b"".as_slice(), b"P", b"PRI * HTTP/2.0\r\n", preface, b"GET / HTTP/1.1\r\nhost: lo", keep_alive]
        {
            let begun = tokio::time::Instant::now();
            let text = answer(plain.plain().await, said).await;
            assert_eq!(text.contains("200 OK"), said == keep_alive, "{text}");
            assert!(begun.elapsed() >= PATIENCE, "{said:?} {:?}", begun.elapsed());
        }
        let tls = Running::start(config::Tls::OwnCa).await;
        assert_eq!(answer(tls.plain().await, b"\x16\x03\x01").await, "");
    }

    #[tokio::test]
    async fn headers_have_a_limit() {
        let running = Running::start(config::Tls::Off).await;
        let asked = |bytes: usize| {
            format!("GET / HTTP/1.1\r\nhost: h\r\nx: {}\r\nconnection: close\r\n\r\n", "x".repeat(bytes))
        };
        assert!(answer(running.plain().await, asked(60_000).as_bytes()).await.starts_with("HTTP/1.1 200"));
        let mut stream = running.plain().await;
        let _ = stream.write_all(asked(70_000).as_bytes()).await;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 431");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_may_end_but_not_last_for_ever() {
        let running = Running::start(config::Tls::Off).await;
        let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n").into_bytes();
        let (slow, never, idle) = (running.plain().await, running.plain().await, running.plain().await);
        let (slow_said, never_said) = (ask("/slow"), ask("/never"));
        let stop = async {
            sleep(Duration::from_secs(1)).await;
            running.stop.cancel();
            sleep(Duration::from_millis(10)).await;
            TcpStream::connect(running.address).await.unwrap_err().kind()
        };
        let begun = tokio::time::Instant::now();
        let (slow, never, refused) = tokio::join!(answer(slow, &slow_said), answer(never, &never_said), stop);
        assert!(slow.starts_with("HTTP/1.1 200"), "{slow}");
        assert_eq!((never.as_str(), refused), ("", io::ErrorKind::ConnectionRefused));
        running.ended.await.unwrap().unwrap();
        let lasted = begun.elapsed();
        assert!(lasted > Duration::from_secs(20) && lasted < Duration::from_secs(22), "{lasted:?}");
        drop(idle);
    }

    #[tokio::test]
    async fn an_address_in_use_is_named() {
        let running = Running::start(config::Tls::Off).await;
        let server = Server { listen: running.address, ..Server::default() };
        let error = serve(&server, None, Router::new(), CancellationToken::new(), |_| ()).await.unwrap_err();
        assert!(format!("{error:#}").starts_with(&format!("listening on {}", running.address)), "{error:#}");
    }
}
