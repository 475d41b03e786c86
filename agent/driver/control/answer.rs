//! Parses the requests of the control socket, and answers them.

use hyper::{Method, Request, Response, StatusCode, header};
use serde_json::json;

use std::{future::ready, sync::Arc};

use super::{
    body::Body,
    events,
    list::{PIECE, list},
    metrics,
    network::Network,
    prompts,
    reply::{RefusedRequest, json, respond, stay},
    seats::{Seat, Stay},
};
use crate::{
    destination::Destination,
    driver::manager::Intent,
    view::{ErrorCode, FlowsView, HostAction, LogView, parse_flow_id},
};

/// How many flows are listed by default.
const FLOWS_USUAL: usize = 1_000;

/// How many lines of the log are listed by default.
const LINES_USUAL: usize = 100;

/// The subject of a request.
enum Ask {
    Snapshot,
    Flows,
    EndedFlows,
    Plan,
    Events,
    Logs,
    Metrics,
    Do(Intent),
    /// A start, stop or restart of the host of this name.
    Host(String, HostAction),
    /// An approval of the command for the host with this name. The number says which command the person was shown.
    Approve(String, u64),
    Reload,
    Why,
    /// The open ports of the host of this name.
    OpenPorts(String),
    /// A question from the command for the host with this name, or an answer to such a question. The text is in the
    /// body.
    Prompt(String, prompts::What),
}

/// Answers a request. The answer is immediate, unless the request waits for a reload, for agents or for a person.
pub(super) async fn answer(
    network: &Arc<Network>,
    seat: &Seat,
    request: Request<hyper::body::Incoming>,
) -> Response<Body> {
    seat.note();
    let (head, body) = request.into_parts();
    let request = &Request::from_parts(head, ());
    let asked = comes_from_no_browser(request).and_then(|()| ask(request));
    let given = match asked {
        Ok(ask) => give(network, seat, request, body, ask).await,
        Err(refused) => Err(refused),
    };
    given.unwrap_or_else(|refused| {
        let told = json!({"error": refused.reason, "code": refused.code});
        let mut response = json(refused.status(), &told);
        let allow = refused
            .allow
            .and_then(|method| method.as_str().parse().ok());
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    })
}

/// Refuses requests that come from web pages. Browsers cannot use a control socket at present, but a later browser may,
/// or somebody may put a proxy in front of the socket. A request of a browser has an `Origin` or `Referer` header, or a
/// `Host` header that is not `localhost`.
fn comes_from_no_browser<B>(request: &Request<B>) -> Result<(), RefusedRequest> {
    let headers = request.headers();
    let forbidden = |reason: &str| Err(RefusedRequest::new(ErrorCode::Forbidden, reason));
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

/// Finds out what a request asks for. All methods and paths are listed here.
fn ask<B>(request: &Request<B>) -> Result<Ask, RefusedRequest> {
    let unknown = |reason: &str| RefusedRequest::new(ErrorCode::NotFound, reason);
    let path: Vec<&str> = request.uri().path().split('/').skip(1).collect();
    let (method, ask) = match path.as_slice() {
        ["v1", "snapshot"] => (Method::GET, Ask::Snapshot),
        ["v1", "flows"] => (Method::GET, Ask::Flows),
        ["v1", "flows", "ended"] => (Method::GET, Ask::EndedFlows),
        ["v1", "flows", id] => {
            let key = parse_flow_id(id).ok_or_else(|| unknown("this is not the id of a flow"))?;
            (Method::DELETE, Ask::Do(Intent::KillFlow(key)))
        }
        ["v1", "plan"] => (Method::GET, Ask::Plan),
        ["v1", "events"] => (Method::GET, Ask::Events),
        ["v1", "logs"] => (Method::GET, Ask::Logs),
        ["v1", "why"] => (Method::GET, Ask::Why),
        ["v1", "down"] => (Method::POST, Ask::Do(Intent::Down)),
        ["v1", "reload"] => (Method::POST, Ask::Reload),
        ["v1", "approve"] => {
            let held = held(request, "which change is approved?")?;
            (Method::POST, Ask::Do(Intent::ApproveChange(held)))
        }
        ["v1", "hosts", name, "ports"] => (Method::GET, Ask::OpenPorts((*name).to_owned())),
        ["v1", "hosts", name, "ask"] => {
            let host = (*name).to_owned();
            (Method::POST, Ask::Prompt(host, prompts::What::Ask))
        }
        ["v1", "hosts", name, "answer"] => {
            let host = (*name).to_owned();
            (Method::POST, Ask::Prompt(host, prompts::What::Answer))
        }
        ["v1", "hosts", name, "approve"] => {
            let held = held(request, "which command is approved?")?;
            (Method::POST, Ask::Approve((*name).to_owned(), held))
        }
        ["v1", "hosts", name, word] => {
            let action = word.parse::<HostAction>();
            let action =
                action.map_err(|error| unknown(&format!("{error}, or its command approved")))?;
            (Method::POST, Ask::Host((*name).to_owned(), action))
        }
        ["metrics"] => (Method::GET, Ask::Metrics),
        _ => return Err(unknown("there is nothing at this path")),
    };
    if *request.method() == method {
        return Ok(ask);
    }
    Err(RefusedRequest {
        code: ErrorCode::Method,
        reason: format!("this path answers {method} only"),
        allow: Some(method),
    })
}

async fn give(
    network: &Arc<Network>,
    seat: &Seat,
    request: &Request<()>,
    body: hyper::body::Incoming,
    ask: Ask,
) -> Result<Response<Body>, RefusedRequest> {
    let inside = &network.inside;
    match ask {
        Ask::Snapshot => Ok(json(StatusCode::OK, &network.view().await)),
        Ask::Flows => {
            let most = number(request, "limit")?.unwrap_or(FLOWS_USUAL);
            Ok(flows(network, most).await)
        }
        Ask::EndedFlows => {
            let most = number(request, "limit")?.unwrap_or(FLOWS_USUAL);
            Ok(json(StatusCode::OK, &inside.ended_flows(most).await))
        }
        Ask::Plan => Ok(json(StatusCode::OK, &inside.plan().await.view())),
        Ask::Logs => {
            let most = number(request, "limit")?.unwrap_or(LINES_USUAL);
            Ok(logs(network, most, parameter(request, "host")).await)
        }
        Ask::Events => {
            // Browsers send this header when they connect again, and other clients may do so, too.
            let again = request.headers().get("last-event-id");
            let again = again.and_then(|id| id.to_str().ok()?.parse().ok());
            let after = number(request, "after")?.or(again);
            let events = events::stream(network, after, stay(seat, Stay::Reads)?);
            Ok(respond(StatusCode::OK, "text/event-stream", events))
        }
        Ask::Metrics => {
            let text = metrics::text(&network.view().await, inside.flow_total().await);
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            Ok(respond(StatusCode::OK, kind, Body::Whole(text.into())))
        }
        Ask::Do(intent) => obey(network, intent).await,
        Ask::Host(name, action) => {
            let vip = inside.host(&name).await?;
            obey(network, Intent::Host(vip, action)).await
        }
        Ask::Approve(name, number) => {
            let vip = inside.host(&name).await?;
            obey(network, Intent::Approve(vip, number)).await
        }
        Ask::Reload => reload(network, seat).await,
        Ask::Why => why(network, seat, request).await,
        Ask::OpenPorts(name) => {
            let vip = inside.host(&name).await?;
            let _kept = stay(seat, Stay::Waits)?;
            Ok(json(StatusCode::OK, &inside.open_ports(vip).await?))
        }
        Ask::Prompt(host, what) => prompts::give(network, seat, &host, what, body).await,
    }
}

async fn obey(network: &Network, intent: Intent) -> Result<Response<Body>, RefusedRequest> {
    network.inside.obey(intent).await?;
    Ok(json(StatusCode::OK, &json!({"ok": true})))
}

/// Lists the flows that were used last, in pieces.
async fn flows(network: &Network, most: usize) -> Response<Body> {
    let inside = network.inside.clone();
    let (total, keys) = inside.newest_flows(most).await;
    let mut keys = keys.into_iter();
    let next = move || {
        let (inside, piece) = (
            inside.clone(),
            keys.by_ref().take(PIECE).collect::<Vec<_>>(),
        );
        async move {
            if piece.is_empty() {
                return None;
            }
            Some(inside.flows(piece).await)
        }
    };
    let view = FlowsView {
        total,
        flows: Vec::new(),
    };
    list(&view, next).await
}

/// Lists the newest lines of the log, in pieces. Lines that are added while the answer is being sent are not included.
async fn logs(network: &Network, most: usize, host: Option<&str>) -> Response<Body> {
    let inside = network.inside.clone();
    let host = host.map(str::to_owned);
    let last = *inside.journal().last().borrow();
    let mut after = inside.journal().tail(most, host.as_deref());
    let next = move || {
        let mut lines = inside.journal().after(after, host.as_deref(), PIECE);
        lines.retain(|line| line.seq <= last);
        let end = lines.last().map(|line| line.seq);
        after = end.unwrap_or(after);
        ready(end.map(|_| lines))
    };
    let view = LogView {
        last,
        lines: Vec::new(),
    };
    list(&view, next).await
}

/// Reloads the manifest. Returns the changes, or says what is wrong with the manifest.
async fn reload(network: &Network, seat: &Seat) -> Result<Response<Body>, RefusedRequest> {
    let _kept = stay(seat, Stay::Waits)?;
    match network.inside.reload().await? {
        Ok(outcome) => {
            let changes = outcome.changes;
            let grants: Vec<String> = outcome.grants.iter().map(ToString::to_string).collect();
            let told = json!({"changes": changes, "grants": grants, "held": outcome.held});
            Ok(json(StatusCode::OK, &told))
        }
        Err(report) => Err(RefusedRequest::new(ErrorCode::InvalidManifest, &report)),
    }
}

/// Explains a connection.
async fn why<B>(
    network: &Network,
    seat: &Seat,
    request: &Request<B>,
) -> Result<Response<Body>, RefusedRequest> {
    let bad = |reason: &str| RefusedRequest::new(ErrorCode::BadRequest, reason);
    let text = |name| parameter(request, name).map(unescape);
    let target = text("target").ok_or_else(|| bad("the parameter \"target\" is missing"))?;
    let target = Destination::parse(&target, None)
        .map_err(|error| bad(&format!("the target cannot be understood: {error}")))?;
    let from = match text("from") {
        Some(from) => Some(network.inside.host(&from).await?),
        None => None,
    };
    let _kept = stay(seat, Stay::Waits)?;
    let why = network.inside.why(target, from).await?;
    Ok(json(StatusCode::OK, &why))
}

/// A parameter with its percent escapes resolved (RFC 3986 section 2.1). A `%` that does not begin an escape stays.
fn unescape(text: &str) -> String {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let [first, more @ ..] = rest {
        let digits = more.get(..2).filter(|_| *first == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = more
            .get(if escaped.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The parameter of this name in the query, still escaped.
fn parameter<'a, B>(request: &'a Request<B>, name: &str) -> Option<&'a str> {
    let mut pairs = request.uri().query()?.split('&');
    pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The number of the command or change that the request approves, from the query.
fn held<B>(request: &Request<B>, question: &str) -> Result<u64, RefusedRequest> {
    let missing = format!("{question} \"number\" is missing");
    let missing = || RefusedRequest::new(ErrorCode::BadRequest, &missing);
    number(request, "number")?.ok_or_else(missing)
}

fn number<B, N: std::str::FromStr>(
    request: &Request<B>,
    name: &str,
) -> Result<Option<N>, RefusedRequest> {
    let parsed = parameter(request, name).map(str::parse);
    parsed.transpose().map_err(|_| {
        let reason = format!("the parameter \"{name}\" is not a number");
        RefusedRequest::new(ErrorCode::BadRequest, &reason)
    })
}
