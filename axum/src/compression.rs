//! Compresses what is sent to the clients that take gzip.

use axum::body::Body;
use axum::http::{Response, header};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, NotForContentType, Predicate, SizeAbove};

use crate::entity_tag;

/// A smaller response would hardly become shorter.
const MIN_BYTES: u16 = 1 << 10;

/// Compresses every response except small ones, and events, which the encoder would hold back. If a body fails midway,
/// the compressed body does not end either.
///
/// The level is the fastest one, because the encoder runs on a thread that other requests wait for.
pub(crate) fn layer() -> CompressionLayer<And<SizeAbove, NotForContentType>> {
    let predicate = SizeAbove::new(MIN_BYTES).and(NotForContentType::SSE);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(predicate)
}

/// Weakens the tag of a compressed response: a strong one stands for the same bytes.
pub(crate) async fn weaken_tag(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_ENCODING)
        && let Some(weak) = headers.get(header::ETAG).and_then(entity_tag::weak)
    {
        headers.insert(header::ETAG, weak);
    }
    response
}
