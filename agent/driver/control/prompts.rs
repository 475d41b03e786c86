//! Requests with a body: questions of commands, and answers of people.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::{Response, StatusCode, body::Incoming};
use serde::de::DeserializeOwned;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    body::Body,
    network::Network,
    reply::{JSON, RefusedRequest, json, respond, stay},
    seats::{REQUEST_MAX, Seat, Stay},
};
use crate::{
    driver::manager::Intent,
    view::{Answer, ErrorCode, Question, Reply},
};

/// How large a body may be, in bytes.
const BODY_MAX: usize = 16 << 10;

/// The kind of request.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A command asks a question, and waits until a person answers.
    Ask,
    /// A person answers a question.
    Answer,
}

/// Handles a request of this kind for the host of this name.
pub(super) async fn give(
    network: &Network,
    seat: &Seat,
    host: &str,
    what: What,
    body: Incoming,
) -> Result<Response<Body>, RefusedRequest> {
    let vip = network.inside.host(host).await?;
    match what {
        What::Ask => {
            let question: Question = read(body).await?;
            let _kept = stay(seat, Stay::Waits)?;
            let asking = network.inside.prompt(vip, question).await?;
            let text = asking.answer().await;
            let reply = serde_json::to_vec(&Reply { text }).unwrap_or_default();
            let reply = Body::Whole(Bytes::from_owner(Zeroizing::new(reply)));
            Ok(respond(StatusCode::OK, JSON, reply))
        }
        What::Answer => {
            let answer: Answer = read(body).await?;
            network.inside.obey(Intent::Answer(vip, answer)).await?;
            Ok(json(StatusCode::OK, &json!({"ok": true})))
        }
    }
}

/// Reads the body. An error does not quote it, because there may be a password in it.
async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, RefusedRequest> {
    let whole = Limited::new(body, BODY_MAX).collect();
    let whole = tokio::time::timeout(REQUEST_MAX, whole).await;
    let whole = whole.ok().and_then(Result::ok).ok_or_else(|| {
        let limit = REQUEST_MAX.as_secs();
        let reason = format!(
            "the body is cut off, takes more than {limit} s, or has more than {BODY_MAX} bytes"
        );
        RefusedRequest::new(ErrorCode::BadRequest, &reason)
    })?;
    let bytes = Zeroizing::new(whole.to_bytes().to_vec());
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let reason = format!("the body cannot be understood (line {line}, column {column})");
        RefusedRequest::new(ErrorCode::BadRequest, &reason)
    })
}
