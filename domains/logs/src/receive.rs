//! Events over HTTP: what all endpoints for senders share.

use std::io::{self, Read};
use std::net::SocketAddr;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use garrison_kernel::{Actor, Verb, problems};
use garrison_web::{Answer, Refusal, Web};

use crate::intake::{BROUGHT, Sender, Target};
use crate::{problem, store};

/// Sending to a source.
pub const SEND: Verb = Verb::new("log:send");

/// Bytes of a body as it comes over the wire.
const WIRE: usize = BROUGHT;

/// Who sends.
pub(crate) fn sender(actor: &Actor) -> Sender {
    let peer = SocketAddr::new(actor.origin.ip, actor.origin.port);
    Sender { peer: Some(peer), account: Some(actor.id.to_string()) }
}

/// The source of this name, where the caller may send to it.
pub(crate) async fn target(web: &Web, actor: &Actor, name: &str) -> Answer<Target> {
    let mut tx = web.kernel.read(actor, SEND).await.map_err(problem::kernel)?;
    let target = store::target(&mut tx, name).await.map_err(problem::kernel)?;
    target.ok_or_else(|| {
        Refusal::new(
            &problems::NOT_FOUND,
            "there is no active source of this name that this account may send to; `garrison source list` names them",
        )
    })
}

/// The body, unpacked: never more than may come at once.
pub(crate) async fn body(request: Request) -> Answer<(HeaderMap, Bytes)> {
    let (parts, body) = request.into_parts();
    let packed = packed(&parts.headers)?;
    let bytes = read(body).await?;
    let bytes = match packed {
        Packed::No => bytes,
        // Unpacking takes a while for the thread; no other request waits for it.
        packed => tokio::task::spawn_blocking(move || unpack(packed, &bytes))
            .await
            .map_err(|_| Refusal::new(&problems::INTERNAL, "the body could not be unpacked"))??,
    };
    Ok((parts.headers, bytes))
}

async fn read(body: Body) -> Answer<Bytes> {
    to_bytes(body, WIRE)
        .await
        .map_err(|_| Refusal::new(&problem::TOO_MUCH, format!("a body has at most {WIRE} bytes")))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Packed {
    No,
    Gzip,
    Deflate,
    Zstd,
}

fn packed(headers: &HeaderMap) -> Answer<Packed> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Packed::No) };
    match value.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(Packed::No),
        "gzip" | "x-gzip" => Ok(Packed::Gzip),
        "deflate" => Ok(Packed::Deflate),
        "zstd" => Ok(Packed::Zstd),
        _ => Err(Refusal::new(
            &problems::MEDIA_TYPE,
            "Content-Encoding is gzip, deflate, zstd or identity; send the body in one of them",
        )),
    }
}

fn unpack(packed: Packed, bytes: &[u8]) -> Answer<Bytes> {
    let unpacked = match packed {
        Packed::No => Ok(bytes.to_vec()),
        Packed::Gzip => all(flate2::read::MultiGzDecoder::new(bytes)),
        Packed::Deflate => all(flate2::read::ZlibDecoder::new(bytes)),
        // A frame that asks for more memory than any honest sender's is refused before it gets it.
        Packed::Zstd => zstd::Decoder::new(bytes)
            .and_then(|mut decoder| decoder.window_log_max(27).map(|()| decoder))
            .and_then(all),
    };
    let unpacked = unpacked.map_err(|error| {
        Refusal::new(&problem::EVENTS, format!("the body is not what Content-Encoding says: {error}"))
    })?;
    if unpacked.len() > BROUGHT {
        let words = format!("unpacked, the body has more than {BROUGHT} bytes");
        return Err(Refusal::new(&problem::TOO_MUCH, words));
    }
    Ok(unpacked.into())
}

fn all(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(BROUGHT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
