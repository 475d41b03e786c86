//! Which answer a request gets.

use bytes::Bytes;
use hyper::{Method, Request, Response, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use std::sync::Arc;

use super::{Network, body::Body, events, metrics};
use crate::{
    addr::Vip,
    driver::manager::{Intent, Unmet},
    view::{LogView, parse_flow_id},
};

/// How many flows are told if nobody says how many.
const FLOWS_USUAL: usize = 1_000;

/// How many lines of the log are told if nobody says how many.
const LINES_USUAL: usize = 100;

/// What is asked.
enum Ask {
    Snapshot,
    Flows,
    Events,
    Logs,
    Metrics,
    Do(Intent),
    /// Something with the host of this name.
    Host(String, Wish),
    Reload,
}

/// What is to happen with a host.
type Wish = Box<dyn FnOnce(Vip) -> Intent + Send>;

/// Why there is no answer.
struct Refusal {
    status: StatusCode,
    reason: String,
    allow: Option<Method>,
}

/// Answers a request. Only a manifest that is read again takes its time.
pub(super) async fn answer<B>(network: &Arc<Network>, request: &Request<B>) -> Response<Body> {
    let asked = comes_from_no_browser(request).and_then(|()| ask(request));
    let given = match asked {
        Ok(Ask::Reload) => reload(network).await,
        Ok(ask) => give(network, request, ask),
        Err(refusal) => Err(refusal),
    };
    given.unwrap_or_else(|refusal| {
        let mut response = json(refusal.status, &json!({"error": refusal.reason}));
        let allow = refusal
            .allow
            .and_then(|method| method.as_str().parse().ok());
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    })
}

/// A page in a browser must not get here, should a browser ever learn to speak to such sockets, or somebody put a proxy in
/// front of one: its requests have an origin, or the name of a server that it believes to speak with.
fn comes_from_no_browser<B>(request: &Request<B>) -> Result<(), Refusal> {
    let headers = request.headers();
    let forbidden = |reason: &str| Err(Refusal::new(StatusCode::FORBIDDEN, reason));
    if headers.contains_key(header::ORIGIN) || headers.contains_key(header::REFERER) {
        return forbidden("requests of web pages are not answered");
    }
    let hosts = headers
        .get_all(header::HOST)
        .iter()
        .map(header::HeaderValue::as_bytes);
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    let mut hosts = hosts.chain(authority);
    if hosts.any(|host| !host.eq_ignore_ascii_case(b"localhost")) {
        return forbidden("the only Host that is answered is localhost");
    }
    Ok(())
}

/// The one table of what can be asked.
fn ask<B>(request: &Request<B>) -> Result<Ask, Refusal> {
    let unknown = |reason: &str| Refusal::new(StatusCode::NOT_FOUND, reason);
    let path: Vec<&str> = request.uri().path().split('/').skip(1).collect();
    let (method, ask) = match path.as_slice() {
        ["v1", "snapshot"] => (Method::GET, Ask::Snapshot),
        ["v1", "flows"] => (Method::GET, Ask::Flows),
        ["v1", "flows", id] => {
            let key = parse_flow_id(id).ok_or_else(|| unknown("this is not the id of a flow"))?;
            (Method::DELETE, Ask::Do(Intent::KillFlow(key)))
        }
        ["v1", "events"] => (Method::GET, Ask::Events),
        ["v1", "logs"] => (Method::GET, Ask::Logs),
        ["v1", "down"] => (Method::POST, Ask::Do(Intent::Down)),
        ["v1", "reload"] => (Method::POST, Ask::Reload),
        ["v1", "hosts", name, what] => {
            let intent: Wish = match *what {
                "start" => Box::new(Intent::StartHost),
                "stop" => Box::new(Intent::StopHost),
                "restart" => Box::new(Intent::RestartHost),
                "approve" => {
                    let missing = "which command is approved? \"number\" is missing";
                    let missing = || Refusal::new(StatusCode::BAD_REQUEST, missing);
                    let held = number(request, "number")?.ok_or_else(missing)?;
                    Box::new(move |vip| Intent::Approve(vip, held))
                }
                _ => {
                    let reason =
                        "a host can be told to start, stop or restart, or its command approved";
                    return Err(unknown(reason));
                }
            };
            (Method::POST, Ask::Host((*name).to_owned(), intent))
        }
        ["metrics"] => (Method::GET, Ask::Metrics),
        _ => return Err(unknown("there is nothing at this path")),
    };
    if *request.method() == method {
        return Ok(ask);
    }
    Err(Refusal {
        status: StatusCode::METHOD_NOT_ALLOWED,
        reason: format!("this path answers {method} only"),
        allow: Some(method),
    })
}

fn give<B>(
    network: &Arc<Network>,
    request: &Request<B>,
    ask: Ask,
) -> Result<Response<Body>, Refusal> {
    Ok(match ask {
        Ask::Snapshot => json(StatusCode::OK, &network.view()),
        Ask::Flows => {
            let most = number(request, "limit")?.unwrap_or(FLOWS_USUAL);
            json(StatusCode::OK, &network.handle.flows(most))
        }
        Ask::Logs => {
            let most = number(request, "limit")?.unwrap_or(LINES_USUAL);
            let journal = network.handle.journal();
            let view = LogView {
                last: *journal.last().borrow(),
                lines: journal.tail(most, parameter(request, "host")),
            };
            json(StatusCode::OK, &view)
        }
        Ask::Events => {
            // A browser's EventSource would send the header when it connects again, and so may others.
            let again = request.headers().get("last-event-id");
            let again = again.and_then(|id| id.to_str().ok()?.parse().ok());
            let after = number(request, "after")?.or(again);
            respond(
                StatusCode::OK,
                "text/event-stream",
                events::stream(network, after),
            )
        }
        Ask::Metrics => {
            let text = metrics::text(&network.view(), network.handle.flows(0).total);
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            respond(StatusCode::OK, kind, Body::Whole(text.into()))
        }
        Ask::Do(intent) => {
            network.handle.obey(&intent)?;
            json(StatusCode::OK, &json!({"ok": true}))
        }
        Ask::Host(name, intent) => {
            let vip = network.handle.host(&name)?;
            network.handle.obey(&intent(vip))?;
            json(StatusCode::OK, &json!({"ok": true}))
        }
        // It has an answer of its own, which waits.
        Ask::Reload => return Err(Refusal::new(StatusCode::NOT_FOUND, "nothing to read")),
    })
}

/// Has the manifest read again, and tells what has changed, or what is wrong with it.
async fn reload(network: &Network) -> Result<Response<Body>, Refusal> {
    match network.handle.reload().await? {
        Ok(changes) => {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            Ok(json(StatusCode::OK, &json!({"changes": changes})))
        }
        Err(report) => Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, &report)),
    }
}

impl Refusal {
    fn new(status: StatusCode, reason: &str) -> Self {
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
            Unmet::NoFlow | Unmet::NoHost => StatusCode::NOT_FOUND,
            Unmet::NotNow | Unmet::NotHeld | Unmet::NoManifest => StatusCode::CONFLICT,
        };
        Self::new(status, &unmet.to_string())
    }
}

/// A parameter after the question mark. What may be asked for has no letters that need an escape.
fn parameter<'a, B>(request: &'a Request<B>, name: &str) -> Option<&'a str> {
    let mut pairs = request.uri().query()?.split('&');
    pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn number<B, N: std::str::FromStr>(request: &Request<B>, name: &str) -> Result<Option<N>, Refusal> {
    let parsed = parameter(request, name).map(str::parse);
    parsed.transpose().map_err(|_| {
        let reason = format!("the parameter \"{name}\" is not a number");
        Refusal::new(StatusCode::BAD_REQUEST, &reason)
    })
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    // Views have nothing in them that JSON cannot say.
    let text = serde_json::to_vec(value).unwrap_or_default();
    respond(status, "application/json", Body::Whole(Bytes::from(text)))
}

fn respond(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
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
