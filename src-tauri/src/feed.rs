//! Sends news to the page: at most ten times a second while the page is visible, and not at all while it is hidden.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::task::AbortHandle;

use crate::{
    desk::{Cursor, Desk},
    view::News,
};

/// The shortest time between two batches of news.
const PACE: Duration = Duration::from_millis(100);

/// How often the traffic counters are requested.
const TRAFFIC: Duration = Duration::from_secs(1);

/// The task that sends news to the page. There is only one. If several pages subscribe, the last one gets the news.
#[derive(Default)]
pub(crate) struct Feed(Mutex<Option<AbortHandle>>);

impl Feed {
    /// Sends news to this page from now on, and stops sending to any other page.
    pub(crate) fn begin(&self, desk: &Desk, send: impl FnMut(Vec<News>) -> bool + Send + 'static) {
        let task = tokio::spawn(feed(desk.clone(), send)).abort_handle();
        let before = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(task);
        if let Some(before) = before {
            before.abort();
        }
    }
}

/// Sends all news to the page, until `send` fails.
async fn feed(desk: Desk, mut send: impl FnMut(Vec<News>) -> bool) {
    let mut wakes = desk.wakes();
    let mut visible = desk.visible();
    let mut cursor = Cursor::default();
    let mut asked = tokio::time::Instant::now();
    loop {
        if !*visible.borrow_and_update() {
            if visible.wait_for(|visible| *visible).await.is_err() {
                return;
            }
            desk.refresh().await;
            cursor.look_again();
        }
        wakes.mark_unchanged();
        let news = desk.news(&mut cursor);
        if !news.is_empty() && !send(news) {
            return;
        }
        tokio::time::sleep(PACE).await;
        let due = asked + TRAFFIC;
        tokio::select! {
            changed = wakes.changed() => if changed.is_err() { return },
            changed = visible.changed() => if changed.is_err() { return },
            () = tokio::time::sleep_until(due) => {
                desk.refresh().await;
                asked = tokio::time::Instant::now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::{Folder, desk};

    /// How many batches are sent in a second in which there is a change every millisecond.
    async fn batches(visible: bool) -> usize {
        let folder = Folder::new("feed");
        let desk = desk(&folder);
        desk.set_visible(visible);
        let count = Arc::new(Mutex::new(0));
        let counted = count.clone();
        let feed = tokio::spawn(feed(desk.clone(), move |_| {
            *counted.lock().unwrap() += 1;
            true
        }));
        for number in 0..1_000 {
            desk.set_tray(number % 2 == 0);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        feed.abort();
        *count.lock().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn at_most_ten_batches_a_second_come_and_none_while_nobody_looks() {
        let seen = batches(true).await;
        assert!((8..=11).contains(&seen), "{seen} batches");
        assert_eq!(batches(false).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_told_twice_and_nothing_is_told_without_news() {
        let folder = Folder::new("quiet");
        let desk = desk(&folder);
        desk.set_visible(true);
        let (sender, mut batches) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(feed(desk.clone(), move |news| sender.send(news).is_ok()));
        let first = batches.recv().await.unwrap();
        assert!(matches!(first[..], [News::App { .. }]));
        let more = tokio::time::timeout(Duration::from_secs(20), batches.recv()).await;
        assert!(more.is_err(), "{more:?}");
        desk.set_visible(false);
        desk.set_tray(true);
        let more = tokio::time::timeout(Duration::from_secs(20), batches.recv()).await;
        assert!(more.is_err(), "{more:?}");
        desk.set_visible(true);
        let again = batches.recv().await.unwrap();
        assert!(matches!(&again[..], [News::App { app }] if app.tray));
    }
}
