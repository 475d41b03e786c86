//! HTTP/1.0 and HTTP/1.1 between a client, this proxy and an origin (RFC 9110, RFC 9112). Requests and responses have
//! the same strict parser. A message that can have two meanings is refused. A small fault of an origin is repaired if
//! only one meaning is possible.

mod answer;
mod body;
mod head;
mod reply;
mod request;
mod response;
mod target;
mod token;
mod version;
mod wrong;

pub use body::{BadBody, Body, Framing};
pub use head::{Arrival, HEAD_MAX, HEADERS_MAX, Headers, ORIGIN_HEAD_MAX};
pub use reply::{CONNECTED, Reply};
pub use request::Request;
pub use response::{BadGateway, Response};
pub use target::RequestTarget;
pub use version::Version;
