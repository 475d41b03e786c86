//! The client's end of the control socket, through which user interfaces reach a running manager.

use std::{fmt::Write as _, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::{Deserialize as _, Serialize, de::DeserializeOwned};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::{events, platform};
use crate::{
    destination::Destination,
    driver::manager::NetworkName,
    secret::Secret,
    view::{
        Answer, ErrorCode, HostAction, HostView, LogLine, NetworkView, OpenPortsView, PlanView,
        Question, Reply, WhyView,
    },
};

/// The path of the whole state.
const SNAPSHOT: &str = "/v1/snapshot";

/// How long a manager may take to answer. Most answers are immediate.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// When all running managers are asked, a manager that has not answered within this time is given up.
const AROUND_MAX: Duration = Duration::from_secs(3);

/// How long an answer may take if the manager has to ask agents first.
const FOUND_MAX: Duration = Duration::from_secs(20);

/// The largest answer that is read, in bytes.
const BODY_MAX: usize = 256 << 20;

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No manager runs a network with this name.
    #[error("no network with the name \"{0}\" runs")]
    NoManager(NetworkName),
    /// The manager refused the request.
    #[error("{text}")]
    Refused {
        /// The kind of the error. `None` if this version of the program does not know the kind.
        code: Option<ErrorCode>,
        /// The reason, for people.
        text: String,
    },
    /// The manager did not answer, or its answer was not valid.
    #[error("the manager of \"{name}\" does not answer: {reason}")]
    Silent {
        /// The name of the network.
        name: NetworkName,
        /// The reason.
        reason: String,
    },
}

impl Error {
    /// Whether the same request may succeed later, because the manager may only be too busy at the moment.
    pub const fn passes(&self) -> bool {
        matches!(
            self,
            Self::Silent { .. }
                | Self::Refused {
                    code: Some(ErrorCode::Busy),
                    ..
                }
        )
    }
}

/// The client of a manager, which may or may not be running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    name: NetworkName,
}

/// One item of a stream of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamItem {
    /// The whole state. It is sent at the start, and again when the set of hosts, the held change or the unapplied
    /// manifest is no longer the same.
    Snapshot(NetworkView),
    /// The present state of a host.
    Host(Box<HostView>),
    /// A new line of the log.
    Event(LogLine),
    /// This many events are missing, because the manager's log had already dropped them before they could be sent.
    Missed(u64),
}

/// A stream of events.
pub struct Events {
    name: NetworkName,
    body: Incoming,
    buffer: BytesMut,
}

impl Client {
    /// A client of the manager that runs the network with this name.
    pub const fn new(name: NetworkName) -> Self {
        Self { name }
    }

    /// Returns a client for each running manager of this user.
    pub async fn running() -> Vec<Self> {
        let mut names = platform::names();
        names.retain(|name| !name.is_trial());
        names.sort();
        let mut running = Vec::new();
        for name in names {
            let client = Self::new(name);
            if client.runs().await {
                running.push(client);
            }
        }
        running
    }

    /// Asks all running managers of this user for their networks, and returns the answers. The managers are asked at
    /// the same time. The result is ordered by name.
    pub async fn around() -> Vec<(Self, Result<NetworkView, Error>)> {
        let mut asked = JoinSet::new();
        for client in Self::running().await {
            asked.spawn(async move {
                let network = client.request_patiently(Method::GET, SNAPSHOT);
                let bytes = client.within(AROUND_MAX, network).await;
                let network = bytes.and_then(|bytes| client.parse(&bytes));
                (client, network)
            });
        }
        let mut around = asked.join_all().await;
        around.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        around
    }

    /// Whether the manager is running.
    pub async fn runs(&self) -> bool {
        platform::connect(&self.name).await.is_ok()
    }

    /// The name of the manager's network.
    pub const fn name(&self) -> &NetworkName {
        &self.name
    }

    /// Fetches the whole state.
    pub async fn network(&self) -> Result<NetworkView, Error> {
        self.get(SNAPSHOT).await
    }

    /// Fetches the plan.
    pub async fn plan(&self) -> Result<PlanView, Error> {
        self.get("/v1/plan").await
    }

    /// Explains why a connection works or does not. The connection begins at the host `from` or, if that is `None`, at
    /// the manager's own host.
    pub async fn why(&self, target: &Destination, from: Option<&str>) -> Result<WhyView, Error> {
        let from = from.map(|from| format!("&from={}", escape(from)));
        let target = escape(&target.to_string());
        let path = format!("/v1/why?target={target}{}", from.unwrap_or_default());
        let asking = self.request_patiently(Method::GET, &path);
        let bytes = self.within(FOUND_MAX, asking).await?;
        self.parse(&bytes)
    }

    /// Lists the ports of a host on which programs listen.
    pub async fn open_ports(&self, host: &str) -> Result<OpenPortsView, Error> {
        let path = format!("/v1/hosts/{host}/ports");
        let asking = self.request_patiently(Method::GET, &path);
        let bytes = self.within(FOUND_MAX, asking).await?;
        self.parse(&bytes)
    }

    /// Sends a GET request, and returns the content of the answer.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let bytes = self.request(Method::GET, path).await?;
        self.parse(&bytes)
    }

    /// Sends a POST request, and ignores the content of the answer.
    pub async fn post(&self, path: &str) -> Result<(), Error> {
        self.request(Method::POST, path).await.map(drop)
    }

    /// Sends a POST request, and returns the content of the answer.
    pub async fn call<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let bytes = self.request(Method::POST, path).await?;
        self.parse(&bytes)
    }

    /// Starts, stops or restarts the host of this name.
    pub async fn host(&self, host: &str, action: HostAction) -> Result<(), Error> {
        self.post(&format!("/v1/hosts/{host}/{action}")).await
    }

    /// Answers a question of a host's command, or refuses to answer.
    pub async fn answer(&self, host: &str, answer: &Answer) -> Result<(), Error> {
        let path = format!("/v1/hosts/{host}/answer");
        self.in_time(self.send(Method::POST, &path, body(answer)))
            .await
            .map(drop)
    }

    /// Asks a person a question of a host's command, and waits for the answer without a time limit. `None` if the
    /// person does not answer.
    pub async fn ask(&self, host: &str, question: &Question) -> Result<Option<Secret>, Error> {
        let path = format!("/v1/hosts/{host}/ask");
        let response = self.send(Method::POST, &path, body(question)).await?;
        let bytes = self.whole(response).await?;
        let reply: Reply = self.parse(&bytes)?;
        Ok(reply.text)
    }

    /// Ends the flow that a path names.
    pub async fn delete(&self, path: &str) -> Result<(), Error> {
        self.request(Method::DELETE, path).await.map(drop)
    }

    /// Subscribes to events: to all from now on or, with `after`, to all after the event with this number.
    pub async fn events(&self, after: Option<u64>) -> Result<Events, Error> {
        let path = match after {
            Some(after) => format!("/v1/events?after={after}"),
            None => "/v1/events".to_owned(),
        };
        let response = self
            .in_time(self.send(Method::GET, &path, Bytes::new()))
            .await?;
        Ok(Events {
            name: self.name.clone(),
            body: response.into_body(),
            buffer: BytesMut::new(),
        })
    }

    async fn request(&self, method: Method, path: &str) -> Result<Bytes, Error> {
        self.in_time(self.request_patiently(method, path)).await
    }

    async fn request_patiently(&self, method: Method, path: &str) -> Result<Bytes, Error> {
        let response = self.send(method, path, Bytes::new()).await?;
        self.whole(response).await
    }

    async fn in_time<T>(&self, asking: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.within(ANSWER_MAX, asking).await
    }

    async fn within<T>(
        &self,
        limit: Duration,
        asking: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let answer = tokio::time::timeout(limit, asking).await;
        answer
            .unwrap_or_else(|_| Err(self.silent(&format!("nothing within {} s", limit.as_secs()))))
    }

    /// Sends one request on a new connection.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, Error> {
        let stream = platform::connect(&self.name).await;
        let stream = stream.map_err(|_| Error::NoManager(self.name.clone()))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.silent(&error))?;
        // The task of the connection ends when the response was read. Earlier errors are reported by the request
        // itself.
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .body(Full::new(body))
            .map_err(|error| self.silent(&error))?;
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| self.silent(&error))?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        let status = response.status();
        let body = self.whole(response).await?;
        let answer: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = answer["error"]
            .as_str()
            .map_or_else(|| status.to_string(), str::to_owned);
        let code = ErrorCode::deserialize(&answer["code"]).ok();
        Err(Error::Refused { code, text })
    }

    async fn whole(&self, response: Response<Incoming>) -> Result<Bytes, Error> {
        let body = Limited::new(response.into_body(), BODY_MAX).collect().await;
        Ok(body.map_err(|error| self.silent(&error))?.to_bytes())
    }

    fn parse<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(bytes).map_err(|error| self.silent(&error))
    }

    fn silent(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::Silent {
            name: self.name.clone(),
            reason: reason.to_string(),
        }
    }
}

/// The body of a request as JSON. Its memory is wiped after use, because it may contain a secret.
fn body(value: &impl Serialize) -> Bytes {
    // This cannot fail, because views have only values that JSON can express.
    Bytes::from_owner(Zeroizing::new(
        serde_json::to_vec(value).unwrap_or_default(),
    ))
}

impl Events {
    /// The next item. `None` when the stream has ended, for example because the manager has ended.
    pub async fn next(&mut self) -> Result<Option<StreamItem>, Error> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let frame = self.buffer.split_to(end);
                self.buffer.advance(2);
                if let Some(item) = self.understand(&frame)? {
                    return Ok(Some(item));
                }
            }
            match self.body.frame().await {
                // The stream ends either cleanly or because its connection breaks.
                None | Some(Err(_)) => return Ok(None),
                Some(Ok(frame)) => {
                    self.buffer
                        .extend_from_slice(&frame.into_data().unwrap_or_default());
                }
            }
        }
    }

    /// Parses a frame. Comments, and frames that only later versions know, give `None`.
    fn understand(&self, frame: &[u8]) -> Result<Option<StreamItem>, Error> {
        let text = String::from_utf8_lossy(frame);
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let (Some(kind), Some(data)) = (field("event: "), field("data: ")) else {
            return Ok(None);
        };
        let item = match kind {
            events::SNAPSHOT => serde_json::from_str(data).map(StreamItem::Snapshot),
            events::HOST => serde_json::from_str(data).map(|host| StreamItem::Host(Box::new(host))),
            events::EVENT => serde_json::from_str(data).map(StreamItem::Event),
            events::MISSED => serde_json::from_str::<serde_json::Value>(data)
                .map(|missed| StreamItem::Missed(missed["count"].as_u64().unwrap_or(0))),
            _ => return Ok(None),
        };
        item.map(Some).map_err(|error| Error::Silent {
            name: self.name.clone(),
            reason: error.to_string(),
        })
    }
}

/// Escapes a text for a query (RFC 3986 section 3.4).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
