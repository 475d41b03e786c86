//! Answers and refused requests as HTTP responses.

use bytes::Bytes;
use hyper::{Method, Response, StatusCode, header};
use serde::Serialize;

use super::{
    body::Body,
    seats::{Kept, Seat, Stay},
};
use crate::{driver::manager::Unmet, view::ErrorCode};

/// The type of most answers.
pub(super) const JSON: &str = "application/json";

/// A request that is refused, with the reason for programs and for people.
pub(super) struct RefusedRequest {
    pub(super) code: ErrorCode,
    pub(super) reason: String,
    pub(super) allow: Option<Method>,
}

impl RefusedRequest {
    pub(super) fn new(code: ErrorCode, reason: &str) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
            allow: None,
        }
    }

    /// The status of the response.
    pub(super) const fn status(&self) -> StatusCode {
        match self.code {
            ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
            ErrorCode::Forbidden | ErrorCode::NoAsker => StatusCode::FORBIDDEN,
            ErrorCode::NotFound
            | ErrorCode::NoHost
            | ErrorCode::NoFlow
            | ErrorCode::NoSource
            | ErrorCode::NoPrompt => StatusCode::NOT_FOUND,
            ErrorCode::Method => StatusCode::METHOD_NOT_ALLOWED,
            ErrorCode::NotNow
            | ErrorCode::NotHeld
            | ErrorCode::NoAnswer
            | ErrorCode::NoManifest => StatusCode::CONFLICT,
            ErrorCode::InvalidManifest => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<Unmet> for RefusedRequest {
    fn from(unmet: Unmet) -> Self {
        let code = match unmet {
            Unmet::NoFlow => ErrorCode::NoFlow,
            Unmet::NoHost(_) => ErrorCode::NoHost,
            Unmet::NoSource => ErrorCode::NoSource,
            Unmet::NotNow => ErrorCode::NotNow,
            Unmet::NotHeld => ErrorCode::NotHeld,
            Unmet::NoPrompt => ErrorCode::NoPrompt,
            Unmet::NoAsker => ErrorCode::NoAsker,
            Unmet::NoAnswer(_) => ErrorCode::NoAnswer,
            Unmet::NoManifest => ErrorCode::NoManifest,
        };
        Self::new(code, &unmet.to_string())
    }
}

/// Lets a request wait for its answer, unless too many do so already.
pub(super) fn stay(seat: &Seat, stay: Stay) -> Result<Kept, RefusedRequest> {
    let reason = match stay {
        Stay::Reads => "too many programs read the events of this network; end some of them",
        Stay::Waits => "too many requests to this network wait for an answer; try again later",
    };
    seat.keep(stay)
        .ok_or_else(|| RefusedRequest::new(ErrorCode::Busy, reason))
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    // This cannot fail, because views have only values that JSON can express.
    let text = serde_json::to_vec(value).unwrap_or_default();
    respond(status, JSON, Body::Whole(Bytes::from(text)))
}

pub(super) fn respond(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, header::HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_done_has_a_code_and_a_status() {
        for (unmet, code, status) in [
            (Unmet::NoHost("db".to_owned()), ErrorCode::NoHost, 404),
            (Unmet::NoAsker, ErrorCode::NoAsker, 403),
            (Unmet::NotHeld, ErrorCode::NotHeld, 409),
        ] {
            let refused = RefusedRequest::from(unmet);
            assert_eq!((refused.code, refused.status().as_u16()), (code, status));
        }
    }
}
