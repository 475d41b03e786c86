//! Answers and refusals as HTTP responses.

use bytes::Bytes;
use hyper::{Method, Response, StatusCode, header};
use serde::Serialize;

use super::body::Body;
use crate::driver::manager::Unmet;

/// A request that is refused, with the status and the reason.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: String,
    pub(super) allow: Option<Method>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, reason: &str) -> Self {
        Self {
            status,
            reason: reason.to_owned(),
            allow: None,
        }
    }
}

impl From<Unmet> for Refusal {
    fn from(unmet: Unmet) -> Self {
        let status = match unmet {
            Unmet::NoFlow | Unmet::NoHost(_) | Unmet::NoSource | Unmet::NoPrompt => {
                StatusCode::NOT_FOUND
            }
            Unmet::NoAsker => StatusCode::FORBIDDEN,
            Unmet::NotNow | Unmet::NotHeld | Unmet::NoManifest => StatusCode::CONFLICT,
        };
        Self::new(status, &unmet.to_string())
    }
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    // Views have only values that JSON can express.
    let text = serde_json::to_vec(value).unwrap_or_default();
    respond(status, "application/json", Body::Whole(Bytes::from(text)))
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
