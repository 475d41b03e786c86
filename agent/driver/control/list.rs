//! Answers with long lists. They are made and sent in pieces. Otherwise, a program that asks for much or reads slowly
//! would take memory and time from others.

use bytes::Bytes;
use hyper::{Response, StatusCode};
use serde::Serialize;
use tokio::sync::mpsc;

use super::{
    body::Body,
    reply::{JSON, respond},
};

/// How many items a piece has. Making a piece takes well below a millisecond.
pub(super) const PIECE: usize = 250;

/// The end of the JSON of a view whose last field is a list.
const END: &[u8] = b"]}";

/// Answers with a view whose last field is a list. In `view`, the list is empty. `next` returns the items piece by
/// piece, and `None` at the end. If there is only one piece, the answer is sent as a whole, with its length.
pub(super) async fn list<T, F>(
    view: &impl Serialize,
    mut next: impl FnMut() -> F + Send + 'static,
) -> Response<Body>
where
    T: Serialize + Send + 'static,
    F: Future<Output = Option<Vec<T>>> + Send + 'static,
{
    let mut unsent = Unsent::begin(view);
    unsent.append(&next().await.unwrap_or_default());
    let mut piece = next().await;
    if piece.is_none() {
        return respond(StatusCode::OK, JSON, Body::Whole(unsent.end()));
    }
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(items) = piece {
            unsent.append(&items);
            drop(items);
            // Sending waits until the reader has taken the previous piece. Only then is the next piece made.
            if sender.send(unsent.take()).await.is_err() {
                return;
            }
            piece = next().await;
        }
        // The reader may be gone.
        let _ = sender.send(unsent.end()).await;
    });
    respond(StatusCode::OK, JSON, Body::Stream(receiver))
}

/// The part of an answer that was not sent yet.
struct Unsent {
    text: Vec<u8>,
    has_items: bool,
}

impl Unsent {
    fn begin(view: &impl Serialize) -> Self {
        // This cannot fail, because views have only values that JSON can express.
        let mut text = serde_json::to_vec(view).unwrap_or_default();
        text.truncate(text.len().saturating_sub(END.len()));
        Self {
            text,
            has_items: false,
        }
    }

    fn append(&mut self, items: &[impl Serialize]) {
        for item in items {
            if self.has_items {
                self.text.push(b',');
            }
            self.has_items = true;
            // This cannot fail, because views have only values that JSON can express.
            let _ = serde_json::to_writer(&mut self.text, item);
        }
    }

    fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.text).into()
    }

    fn end(mut self) -> Bytes {
        self.text.extend_from_slice(END);
        self.text.into()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::ready,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use http_body_util::BodyExt as _;

    use super::*;
    use crate::view::FlowsView;

    /// Answers with these pieces. The returned counter tells how many pieces were made.
    async fn answer(pieces: &[&[u32]]) -> (Response<Body>, Arc<AtomicUsize>) {
        let made = Arc::new(AtomicUsize::new(0));
        let (mut rest, counter) = (
            pieces.iter().map(|it| it.to_vec()).collect::<Vec<_>>(),
            made.clone(),
        );
        rest.reverse();
        let next = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            ready(rest.pop())
        };
        let view = FlowsView {
            total: 7,
            flows: Vec::new(),
        };
        (list(&view, next).await, made)
    }

    async fn text(pieces: &[&[u32]]) -> String {
        let body = answer(pieces).await.0.into_body();
        let bytes = body.collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_pieces_together_are_the_view_with_its_list() {
        for (pieces, list) in [
            (&[][..], "[]"),
            (&[&[][..]], "[]"),
            (&[&[1, 2][..]], "[1,2]"),
            (&[&[1, 2], &[3], &[], &[4, 5]], "[1,2,3,4,5]"),
            (&[&[], &[1]], "[1]"),
        ] {
            let right = format!(r#"{{"total":7,"flows":{list}}}"#);
            assert_eq!(text(pieces).await, right, "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn a_short_answer_has_its_length() {
        use hyper::body::Body as _;
        let (short, _) = answer(&[&[1]]).await;
        assert!(short.body().size_hint().exact().is_some());
    }

    #[tokio::test]
    async fn a_reader_that_reads_nothing_is_made_only_a_few_pieces() {
        let pieces = [&[1_u32][..]; 1_000];
        let (response, made) = answer(&pieces).await;
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert!(made.load(Ordering::Relaxed) < 10);
        let all = response.into_body().collect().await.unwrap();
        assert_eq!(made.load(Ordering::Relaxed), 1_001);
        assert_eq!(
            all.to_bytes().len(),
            r#"{"total":7,"flows":[]}"#.len() + 1_999
        );
    }
}
