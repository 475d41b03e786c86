//! Writes an answer of the proxy itself to a client's request.

use bytes::{BufMut, Bytes, BytesMut};

use super::{body::Framing, head, reply::Reply, request::Request, version::Version};

impl Reply {
    /// Whether the client may send another request after this answer. The connection must end if the request could not
    /// be parsed, or if the body of the request has not been read.
    pub fn keeps_client(&self, to: Option<&Request>) -> bool {
        to.is_some_and(|request| {
            request.keep_alive && matches!(request.framing, Framing::None | Framing::Length(0))
        })
    }

    /// The whole answer as bytes, without the body if it answers a `HEAD` request.
    pub fn bytes(&self, to: Option<&Request>) -> Bytes {
        let version = to.map_or(Version::Http11, |request| request.version);
        let mut out = BytesMut::new();
        let reason = self.reason.as_deref().unwrap_or(reason(self.status));
        out.put_slice(format!("{version} {} {reason}\r\n", self.status).as_bytes());
        head::field(&mut out, "Content-Type", self.content_type.as_bytes());
        head::field(
            &mut out,
            "Content-Length",
            self.body.len().to_string().as_bytes(),
        );
        for (name, value) in &self.headers {
            head::field(&mut out, name, value.as_bytes());
        }
        if !self.keeps_client(to) {
            head::field(&mut out, "Connection", b"close");
        } else if version == Version::Http10 {
            head::field(&mut out, "Connection", b"keep-alive");
        }
        out.put_slice(b"\r\n");
        if !to.is_some_and(Request::is_head) {
            out.put_slice(self.body.as_bytes());
        }
        out.freeze()
    }
}

/// The reason phrase of a status that this proxy uses (RFC 9110 section 15).
const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str) -> Request {
        Request::parse(head.as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn an_answer_closes_the_connection_where_the_next_request_could_not_be_found() {
        let reply = Reply::new(502, "no");
        let text = |to: Option<&Request>| String::from_utf8(reply.bytes(to).to_vec()).unwrap();
        let get = request("GET http://web/ HTTP/1.1\r\nHost: web\r\n\r\n");
        assert_eq!(
            text(Some(&get)),
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\nno\n"
        );
        assert!(text(None).contains("\r\nConnection: close\r\n"));
        let post = request("POST http://web/ HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\n");
        assert!(text(Some(&post)).contains("\r\nConnection: close\r\n"));
        let old = request("GET http://web/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert!(text(Some(&old)).starts_with("HTTP/1.0 502 "));
        assert!(text(Some(&old)).contains("\r\nConnection: keep-alive\r\n"));
    }

    #[test]
    fn the_answer_to_head_has_no_body() {
        let head = request("HEAD http://web/ HTTP/1.1\r\nHost: web\r\n\r\n");
        let bytes = Reply::new(502, "no").bytes(Some(&head));
        assert!(bytes.ends_with(b"Content-Length: 3\r\n\r\n"));
    }
}
