//! The other end of the control socket: what faces ask a running manager with.

use std::{fmt::Write as _, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{events, platform};
use crate::{
    destination::Destination,
    driver::manager::Name,
    secret::Secret,
    view::{
        Answer, HostAction, HostView, LogLine, NetworkView, PlanView, Question, Reply, WhyView,
    },
};

/// How long a manager may take to answer. It has nothing to wait for itself.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// How long a manager may take that has to ask its agents first.
const FOUND_MAX: Duration = Duration::from_secs(20);

/// How large an answer may be.
const BODY_MAX: usize = 256 << 20;

/// Why a manager could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("no network with the name \"{0}\" runs")]
    NoManager(Name),
    /// It does not do that.
    #[error("{0}")]
    Refused(String),
    /// It does not speak as it should.
    #[error("the manager of \"{name}\" does not answer: {reason}")]
    Silent {
        /// The network.
        name: Name,
        /// Why.
        reason: String,
    },
}

/// A manager that may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    name: Name,
}

/// What a stream of events tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Everything, first of all and whenever the hosts are other hosts.
    Snapshot(NetworkView),
    /// A host as it is now.
    Host(Box<HostView>),
    /// Something that has happened.
    Event(LogLine),
    /// So many events came too fast.
    Missed(u64),
}

/// A stream of events.
pub struct Events {
    name: Name,
    body: Incoming,
    buffer: BytesMut,
}

impl Client {
    /// The manager of the network with this name.
    pub const fn new(name: Name) -> Self {
        Self { name }
    }

    /// All managers of this user that run.
    pub async fn running() -> Vec<Self> {
        let mut names = platform::names();
        names.sort();
        let mut running = Vec::new();
        for name in names {
            if platform::connect(&name).await.is_ok() {
                running.push(Self::new(name));
            }
        }
        running
    }

    /// Which network it runs.
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// The file of the network that it runs, if it answers and there is one.
    pub(super) async fn manifest(&self) -> Option<String> {
        self.network().await.ok()?.manifest
    }

    /// The whole state.
    pub async fn network(&self) -> Result<NetworkView, Error> {
        self.get("/v1/snapshot").await
    }

    /// What the network is meant to be.
    pub async fn plan(&self) -> Result<PlanView, Error> {
        self.get("/v1/plan").await
    }

    /// Why a connection works or does not that begins on the host `from`, or on the manager's own.
    pub async fn why(&self, target: &Destination, from: Option<&str>) -> Result<WhyView, Error> {
        let from = from.map(|from| format!("&from={}", escape(from)));
        let target = escape(&target.to_string());
        let path = format!("/v1/why?target={target}{}", from.unwrap_or_default());
        let asking = self.request_patiently(Method::GET, &path);
        let bytes = self.within(FOUND_MAX, asking).await?;
        serde_json::from_slice(&bytes).map_err(|error| self.silent(&error))
    }

    /// The answer at a path.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let bytes = self.request(Method::GET, path).await?;
        serde_json::from_slice(&bytes).map_err(|error| self.silent(&error))
    }

    /// Has something done.
    pub async fn post(&self, path: &str) -> Result<(), Error> {
        self.request(Method::POST, path).await.map(drop)
    }

    /// Has something done that has an answer.
    pub async fn call<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let bytes = self.request(Method::POST, path).await?;
        serde_json::from_slice(&bytes).map_err(|error| self.silent(&error))
    }

    /// Has something done to the host of this name.
    pub async fn host(&self, host: &str, action: HostAction) -> Result<(), Error> {
        self.post(&format!("/v1/hosts/{host}/{action}")).await
    }

    /// Answers what the command of a host asks, or refuses to.
    pub async fn answer(&self, host: &str, answer: &Answer) -> Result<(), Error> {
        let path = format!("/v1/hosts/{host}/answer");
        self.in_time(self.send(Method::POST, &path, body(answer)))
            .await
            .map(drop)
    }

    /// Asks a person for the command of a host, for as long as that takes; none if there is no answer.
    pub async fn ask(&self, host: &str, question: &Question) -> Result<Option<Secret>, Error> {
        let path = format!("/v1/hosts/{host}/ask");
        let response = self.send(Method::POST, &path, body(question)).await?;
        let bytes = self.whole(response).await?;
        let reply: Reply = serde_json::from_slice(&bytes).map_err(|error| self.silent(&error))?;
        Ok(reply.text)
    }

    /// Has something ended.
    pub async fn delete(&self, path: &str) -> Result<(), Error> {
        self.request(Method::DELETE, path).await.map(drop)
    }

    /// What happens from now on, or after the event of that number.
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

    /// Sends one request on a connection of its own.
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
        // It ends with the answer; what goes wrong before is told by the request.
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
        let reason = answer["error"]
            .as_str()
            .map_or_else(|| status.to_string(), str::to_owned);
        Err(Error::Refused(reason))
    }

    async fn whole(&self, response: Response<Incoming>) -> Result<Bytes, Error> {
        let body = Limited::new(response.into_body(), BODY_MAX).collect().await;
        Ok(body.map_err(|error| self.silent(&error))?.to_bytes())
    }

    fn silent(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::Silent {
            name: self.name.clone(),
            reason: reason.to_string(),
        }
    }
}

/// A body that may have a secret in it.
fn body(value: &impl Serialize) -> Bytes {
    // Views have nothing in them that JSON cannot say.
    Bytes::from_owner(Zeroizing::new(
        serde_json::to_vec(value).unwrap_or_default(),
    ))
}

impl Events {
    /// The next piece of news; `None` when the manager has ended.
    pub async fn next(&mut self) -> Result<Option<News>, Error> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let frame = self.buffer.split_to(end);
                self.buffer.advance(2);
                if let Some(news) = self.understand(&frame)? {
                    return Ok(Some(news));
                }
            }
            match self.body.frame().await {
                // However it ends, it is over.
                None | Some(Err(_)) => return Ok(None),
                Some(Ok(frame)) => {
                    self.buffer
                        .extend_from_slice(&frame.into_data().unwrap_or_default());
                }
            }
        }
    }

    /// What a frame tells; a comment, or what only a later version knows, tells nothing.
    fn understand(&self, frame: &[u8]) -> Result<Option<News>, Error> {
        let text = String::from_utf8_lossy(frame);
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let (Some(kind), Some(data)) = (field("event: "), field("data: ")) else {
            return Ok(None);
        };
        let news = match kind {
            events::SNAPSHOT => serde_json::from_str(data).map(News::Snapshot),
            events::HOST => serde_json::from_str(data).map(|host| News::Host(Box::new(host))),
            events::EVENT => serde_json::from_str(data).map(News::Event),
            events::MISSED => serde_json::from_str::<serde_json::Value>(data)
                .map(|missed| News::Missed(missed["count"].as_u64().unwrap_or(0))),
            _ => return Ok(None),
        };
        news.map(Some).map_err(|error| Error::Silent {
            name: self.name.clone(),
            reason: error.to_string(),
        })
    }
}

/// The text as it may stand in a query (RFC 3986 section 3.4).
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
