//! Syslog over UDP and TCP (RFC 3164, RFC 5424, RFC 6587). Nobody proves who they are here: what comes belongs to the
//! source that the configuration names, with the address it came from.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use garrison_base::limits::EVENT_BYTES;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::NamedSource;
use crate::intake::{Intake, Limit, Refused, Sender, Target};
use crate::places::{Place, Places};
use garrison_decode::Events;
use garrison_decode::SyslogFramer;

/// What is read at once from a connection.
const CHUNK: usize = 256 << 10;
/// Bytes of datagrams that are taken together.
const TOGETHER: usize = 1 << 20;
/// The largest datagram.
const DATAGRAM: usize = 65_535;
/// After a failure of the log, senders are kept waiting for so long before it is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Where syslog comes in.
#[derive(Debug, Default)]
pub struct Sockets {
    /// For datagrams.
    pub udp: Option<UdpSocket>,
    /// For connections.
    pub tcp: Option<TcpListener>,
}

impl Sockets {
    /// Binds; the error names the address.
    pub async fn bind(udp: Option<SocketAddr>, tcp: Option<SocketAddr>) -> io::Result<Self> {
        let named = |error: io::Error, what: &str, address: SocketAddr| {
            io::Error::new(error.kind(), format!("listening on {address} for syslog ({what}): {error}"))
        };
        let mut sockets = Self::default();
        if let Some(address) = udp {
            sockets.udp = Some(UdpSocket::bind(address).await.map_err(|error| named(error, "UDP", address))?);
        }
        if let Some(address) = tcp {
            sockets.tcp =
                Some(TcpListener::bind(address).await.map_err(|error| named(error, "TCP", address))?);
        }
        Ok(sockets)
    }

    /// Tells the addresses that were bound.
    pub fn tell(&self, mut say: impl FnMut(&'static str, SocketAddr)) {
        if let Some(Ok(address)) = self.udp.as_ref().map(UdpSocket::local_addr) {
            say("udp", address);
        }
        if let Some(Ok(address)) = self.tcp.as_ref().map(TcpListener::local_addr) {
            say("tcp", address);
        }
    }

    /// Takes messages until it is stopped.
    pub async fn serve(self, intake: Arc<Intake>, source: NamedSource, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        if let Some(socket) = self.udp {
            tasks.spawn(datagrams(socket, intake.clone(), source.clone(), stop.clone()));
        }
        if let Some(listener) = self.tcp {
            tasks.spawn(connections(listener, intake, source, stop));
        }
        while tasks.join_next().await.is_some() {}
    }
}

async fn datagrams(socket: UdpSocket, intake: Arc<Intake>, source: NamedSource, stop: CancellationToken) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            () = stop.cancelled() => return,
        };
        let Ok((length, peer)) = received else {
            sleep(AGAIN).await;
            continue;
        };
        // Events of one batch share their sender's address, so a batch ends where another sender begins.
        let mut batches: Vec<(SocketAddr, Events)> = Vec::new();
        datagram(buffer.get(..length).unwrap_or_default(), peer, &mut batches);
        let mut bytes = length;
        while bytes < TOGETHER
            && let Ok((length, peer)) = socket.try_recv_from(&mut buffer)
        {
            datagram(buffer.get(..length).unwrap_or_default(), peer, &mut batches);
            bytes += length;
        }
        // A source that is disabled is not listened to.
        let Some(target) = source.target().await else { continue };
        for (peer, events) in batches {
            let sender = Sender { peer: Some(peer), account: None };
            // A datagram that cannot be kept is lost: there is nobody to tell.
            match intake.take(&sender, &[(target.clone(), events)]).await {
                Ok(_) | Err(Refused::Rate(_) | Refused::Busy | Refused::Full) => {}
                Err(error) => tracing::error!(%error, "syslog datagrams were lost"),
            }
        }
    }
}

fn datagram(message: &[u8], peer: SocketAddr, batches: &mut Vec<(SocketAddr, Events)>) {
    let end = message.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r' | 0)).map_or(0, |last| last + 1);
    if end == 0 {
        return;
    }
    let message = message.get(..end).unwrap_or_default();
    if let Some((_, events)) = batches.iter_mut().find(|(known, _)| *known == peer) {
        events.push(message);
    } else {
        let mut events = Events::default();
        events.push(message);
        batches.push((peer, events));
    }
}

async fn connections(
    listener: TcpListener,
    intake: Arc<Intake>,
    source: NamedSource,
    stop: CancellationToken,
) {
    let places = Arc::new(Places::default());
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        while tasks.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = places.take(peer.ip(), Instant::now()) else {
                    drop(stream);
                    if let Some(target) = source.target().await {
                        intake.refuse(&target, Limit::Connections, 1);
                    }
                    continue;
                };
                let (intake, source, stop) = (intake.clone(), source.clone(), stop.clone());
                tasks.spawn(async move {
                    connection(stream, (peer, place), (&intake, &source), stop).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a syslog connection could not be taken");
                sleep(AGAIN).await;
            }
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// Reads one connection. What was read is on the disk before more is read, so a sender that is faster than the disk
/// waits in its own buffers.
async fn connection(
    mut stream: TcpStream,
    (peer, place): (SocketAddr, Place),
    (intake, source): (&Intake, &NamedSource),
    stop: CancellationToken,
) {
    let sender = Sender { peer: Some(peer), account: None };
    let (mut framing, mut events) = (SyslogFramer::default(), Events::default());
    let mut chunk = vec![0; CHUNK.max(EVENT_BYTES / 4)];
    loop {
        let heard = tokio::select! {
            heard = place.listen(stream.read(&mut chunk)) => heard,
            () = stop.cancelled() => return,
        };
        let ends_for_another = heard.is_none();
        let length = heard.and_then(Result::ok).unwrap_or_default();
        if length == 0 {
            framing.finish(&mut events);
        } else {
            framing.push(chunk.get(..length).unwrap_or_default(), &mut events);
        }
        let Some(target) = source.target().await else { return };
        intake.refuse(&target, Limit::Length, framing.take_refused());
        if ends_for_another {
            intake.refuse(&target, Limit::Connections, 1);
            // Its place is taken, so it does not wait for room: what finds none is counted.
            if !events.is_empty()
                && let Err(error) = intake.take(&sender, &[(target, events)]).await
            {
                tracing::warn!(%error, "the last words of a silent syslog connection were lost");
            }
            return;
        }
        if !events.is_empty() {
            let taken = std::mem::take(&mut events);
            let kept = tokio::select! {
                kept = keep(intake, &target, &sender, taken) => kept,
                () = stop.cancelled() => return,
            };
            if !kept {
                return;
            }
        }
        if length == 0 {
            return;
        }
    }
}

/// Keeps events; tells whether the connection may go on.
async fn keep(intake: &Intake, target: &Target, sender: &Sender, events: Events) -> bool {
    match intake.take_patiently(sender, target, events).await {
        Ok(_) => true,
        Err(error) => {
            tracing::error!(%error, "a syslog connection ends, because nothing can be kept");
            sleep(AGAIN).await;
            false
        }
    }
}
