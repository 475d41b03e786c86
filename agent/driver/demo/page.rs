//! The web page of a host of the demo. It shows the name of the host, and how long connections to the other hosts take.
//!
//! The page does not know the network. It connects to addresses like any program.

use std::{
    convert::Infallible,
    error::Error,
    net::TcpListener,
    rc::Rc,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Empty, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client, header, server,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::LocalSet};

use super::peer::Peer;
use crate::{addr::HostName, driver::system::describe};

/// How long another host may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// The longest name of a host, in bytes (RFC 1035 section 2.3.4).
const NAME_MAX: usize = 255;

/// The content security policy of the page: the browser may run and load only what is part of the page itself.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";

/// The content of the page.
pub(super) struct Page {
    pub(super) name: HostName,
    /// Whether the host has a network of its own. In that case, its connections to other hosts go through the virtual
    /// network.
    pub(super) apart: bool,
    pub(super) peers: Vec<Peer>,
}

/// Serves the page for as long as the process lives.
pub(super) fn serve(listener: TcpListener, page: Page) {
    let page = Rc::new(page);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = runtime.and_then(|runtime| {
        LocalSet::new().block_on(&runtime, async {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                tokio::task::spawn_local(converse(stream, page.clone()));
            }
        })
    });
    let Err::<Infallible, std::io::Error>(error) = outcome;
    tracing::warn!("the page is not served any more: {}", describe(&error));
}

/// Serves one connection of a browser.
async fn converse(stream: TcpStream, page: Rc<Page>) {
    let service = service_fn(|request| {
        let page = page.clone();
        async move { Ok::<_, Infallible>(answer(&request, &page).await) }
    });
    // A browser may disconnect at any time.
    let _ = server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(request: &Request<Incoming>, page: &Page) -> Response<Full<Bytes>> {
    const HTML: &str = "text/html; charset=utf-8";
    const TEXT: &str = "text/plain; charset=utf-8";
    let (status, kind, body) = if request.method() == Method::GET {
        match request.uri().path() {
            "/" => (StatusCode::OK, HTML, page.html(&page.rows().await)),
            "/rows" => (StatusCode::OK, HTML, page.rows().await),
            "/name" => (StatusCode::OK, TEXT, page.name.to_string()),
            _ => (
                StatusCode::NOT_FOUND,
                TEXT,
                "There is only one page here: /\n".to_owned(),
            ),
        }
    } else {
        (
            StatusCode::METHOD_NOT_ALLOWED,
            TEXT,
            "This page can only be read.\n".to_owned(),
        )
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        header::HeaderValue::from_static(POLICY),
    );
    response
}

impl Page {
    /// The whole page with these rows in its table.
    fn html(&self, rows: &str) -> String {
        let note = if self.apart {
            "This host has a network of its own. Each line is a new connection from here to another host, measured \
             from the connect to the last byte of the answer."
        } else {
            "The hosts of this demo share one machine's loopback instead of having a network of their own. \
             A connection from this host to another would be taken by the laptop's listener and say nothing about \
             the way between the two, so none is measured."
        };
        include_str!("page.html")
            .replace("@NAME@", self.name.as_str())
            .replace("@NOTE@", note)
            .replace("@ROWS@", rows)
    }

    /// The rows of the table, one for each other host. All hosts are measured at the same time.
    async fn rows(&self) -> String {
        if !self.apart {
            let rows = self
                .peers
                .iter()
                .map(|peer| row(peer, "unknown", "not measured", ""));
            return rows.collect();
        }
        let measurements: Vec<_> = self
            .peers
            .iter()
            .map(|peer| tokio::task::spawn_local(measure(peer.clone())))
            .collect();
        let mut rows = String::new();
        for (peer, measurement) in self.peers.iter().zip(measurements) {
            let outcome = measurement
                .await
                .unwrap_or_else(|error| Err(error.to_string()));
            rows.push_str(&match outcome {
                Ok(time) => {
                    let time = format!("{:.1} ms", time.as_secs_f64() * 1000.0);
                    row(peer, "good", "reached", &time)
                }
                Err(reason) => row(peer, "bad", &reason, ""),
            });
        }
        rows
    }
}

fn row(Peer { name, address }: &Peer, mark: &str, outcome: &str, time: &str) -> String {
    let outcome = outcome.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<tr><th scope=\"row\"><a href=\"http://{address}/\">{name}</a></th><td><code>{address}</code></td>\
         <td class=\"{mark}\">{outcome}</td><td class=\"time\">{time}</td></tr>\n"
    )
}

/// Measures the time for a connection to another host and a request for its name.
async fn measure(peer: Peer) -> Result<Duration, String> {
    let start = Instant::now();
    let asked = tokio::time::timeout(ANSWER_MAX, ask(&peer)).await;
    let name = asked.map_err(|_| format!("no answer within {} s", ANSWER_MAX.as_secs()))??;
    if name != peer.name.as_str() {
        return Err("another program answers there".to_owned());
    }
    Ok(start.elapsed())
}

/// Asks another host for its name.
async fn ask(peer: &Peer) -> Result<String, String> {
    let stream = TcpStream::connect(peer.address)
        .await
        .map_err(|error| describe(&error))?;
    let broken = |error: hyper::Error| innermost(&error);
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    // The task of the connection ends when `sender` is dropped. Earlier errors are reported by the request itself.
    tokio::task::spawn_local(connection);
    let request = Request::get("/name")
        .header(header::HOST, peer.address.to_string())
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let body = Limited::new(response.into_body(), NAME_MAX).collect().await;
    let body = body.map_err(|error| error.to_string())?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// The innermost cause of an error: "connection reset by peer" says more than "connection error".
fn innermost(error: &(dyn Error + 'static)) -> String {
    match (error.source(), error.downcast_ref::<std::io::Error>()) {
        (Some(cause), _) => innermost(cause),
        (None, Some(error)) => describe(error),
        (None, None) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(apart: bool) -> Page {
        Page {
            name: "attic".parse().unwrap(),
            apart,
            peers: vec!["cellar=127.0.42.102:8080".parse().unwrap()],
        }
    }

    #[test]
    fn the_page_is_whole_and_loads_nothing() {
        for apart in [true, false] {
            let html = page(apart).html("<tr></tr>");
            assert!(html.contains("<h1>attic</h1>") && html.contains("<tr></tr>"));
            let rest = html.replace("@media", "");
            assert!(!rest.contains('@'), "a place was not filled in");
            assert!(!rest.contains("src=") && !rest.contains("url("));
        }
    }

    #[test]
    fn what_is_said_of_a_host_is_text_and_not_html() {
        let peers = page(true).peers;
        let row = row(&peers[0], "bad", "<script> & more", "");
        assert!(row.contains("&lt;script> &amp; more"), "{row}");
    }

    #[test]
    fn the_innermost_cause_is_told() {
        let cause = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let outer = std::io::Error::other(cause);
        assert_eq!(innermost(&outer), "connection reset");
    }
}
