//! Finds elements of the page, waits for them, and clicks on them.

use std::time::{Duration, Instant};

use fantoccini::Locator;

use super::{
    display::{Display, LEFT, Point, RIGHT, TAB},
    rig::{Driven, Home, PATIENCE},
};

/// The maximum number of times that Tab is pressed. No page has that many controls.
const TABS_MAX: usize = 100;

impl Driven {
    /// Waits until the page shows the element with this XPath.
    pub(crate) async fn sees(&self, home: &Home, what: &str) {
        self.until(home, what, async |element| {
            element.is_displayed().await.unwrap_or(false)
        })
        .await;
    }

    /// Waits until the page shows the element with this XPath and the element stands still, and clicks on it. The click
    /// goes to a point, and not to the element, so it misses an element that moves meanwhile.
    pub(crate) async fn click(&self, home: &Home, what: &str) {
        self.middle(home, what).await;
        self.until(home, what, async |element| element.click().await.is_ok())
            .await;
    }

    pub(crate) async fn until(
        &self,
        home: &Home,
        what: &str,
        done: impl AsyncFn(&fantoccini::elements::Element) -> bool,
    ) {
        let start = Instant::now();
        loop {
            // The element is looked up again each time, because the page may have redrawn it in the meantime.
            if let Ok(element) = self.page.find(Locator::XPath(what)).await
                && done(&element).await
            {
                return;
            }
            if start.elapsed() > PATIENCE {
                let text = self
                    .page
                    .execute(
                        "return [location.href, document.body.innerText,
                            ...document.querySelectorAll('[data-host]')]
                            .map((part) => part.ariaLabel ?? part).join('\\n');",
                        vec![],
                    )
                    .await;
                panic!("no {what} in\n{text:#?}\n{}", home.said());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Runs a script in the page again and again until its result is not null.
    pub(crate) async fn until_found(
        &self,
        home: &Home,
        script: &str,
        otherwise: &str,
    ) -> serde_json::Value {
        let start = Instant::now();
        loop {
            let found = self.page.execute(script, vec![]).await.unwrap();
            if !found.is_null() {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "{otherwise}\n{}", home.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the page shows the element with this XPath and the element stands still, and returns its middle.
    pub(crate) async fn middle(&self, home: &Home, what: &str) -> Point {
        // Two frames later, a moving element is at another place.
        const TWO_FRAMES: &str = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => done(null)));";

        let start = Instant::now();
        let mut before = None;
        let (x, y, width, height) = loop {
            self.sees(home, what).await;
            // The element may be redrawn between the two steps.
            let now = match self.page.find(Locator::XPath(what)).await {
                Ok(found) => found.rectangle().await.ok(),
                Err(_) => None,
            };
            match now {
                Some(place) if now == before => break place,
                _ => before = now,
            }
            assert!(start.elapsed() < PATIENCE, "{what} does not stand still");
            let frames = self.page.execute_async(TWO_FRAMES, vec![]).await;
            frames.unwrap();
        };
        #[allow(
            clippy::cast_possible_truncation,
            reason = "no screen has so many pixels"
        )]
        let middle = |start: f64, length: f64| (start + length / 2.0) as i16;
        (middle(x, width), middle(y, height))
    }

    /// Presses and releases the left button of the mouse on the element with this XPath.
    pub(crate) async fn tap(&self, home: &Home, display: &Display, what: &str) {
        let window = display.window(home, self.pid(), "NORMAL");
        display.point(window, self.middle(home, what).await);
        display.hold(LEFT);
        display.let_go(LEFT);
    }

    /// Presses the right button of the mouse on the element with this XPath, and releases it. Returns when the page has
    /// handled both. To find that out, moves the pointer, and waits until the page notices. It does not notice while a
    /// menu of the web view is open.
    pub(crate) async fn tap_right(&self, home: &Home, display: &Display, what: &str) {
        let window = display.window(home, self.pid(), "NORMAL");
        let (x, y) = self.middle(home, what).await;
        display.point(window, (x, y));
        display.hold(RIGHT);
        display.let_go(RIGHT);
        let listen = "window.moved = null;
            addEventListener('pointermove', () => { window.moved = true; }, {capture: true, once: true});";
        self.page.execute(listen, vec![]).await.unwrap();
        display.point(window, (x + 3, y));
        self.until_found(
            home,
            "return window.moved;",
            "the pointer belongs to another menu",
        )
        .await;
    }

    /// Waits until the element with this XPath has the focus.
    pub(crate) async fn focused(&self, home: &Home, what: &str) {
        let script = format!("return {} ? true : null;", has_focus(what));
        self.until_found(home, &script, &format!("no focus: {what}"))
            .await;
    }

    /// Presses Tab until the element with this XPath has the focus.
    pub(crate) async fn tab_to(&self, home: &Home, display: &Display, what: &str) {
        self.sees(home, what).await;
        let window = display.window(home, self.pid(), "NORMAL");
        let script = format!("return {};", has_focus(what));
        for _ in 0..TABS_MAX {
            if self.page.execute(&script, vec![]).await.unwrap() == serde_json::json!(true) {
                return;
            }
            let mark = "window.before = document.activeElement;";
            self.page.execute(mark, vec![]).await.unwrap();
            display.press(window, &[TAB]);
            let moved = "return document.activeElement === window.before ? null : true;";
            self.until_found(home, moved, "Tab does nothing").await;
        }
        panic!("Tab does not lead to {what}");
    }

    pub(crate) async fn turn_to(&self, home: &Home, page: &str) {
        self.click(home, &format!("//nav//a[normalize-space(span)='{page}']"))
            .await;
    }
}

/// An expression of a script: whether the element with this XPath has the focus.
fn has_focus(what: &str) -> String {
    let what = serde_json::json!(what);
    format!(
        "document.evaluate({what}, document, null, 9, null).singleNodeValue === document.activeElement"
    )
}

/// The XPath of a host's card on the network page. It uses the label for screen readers.
pub(crate) fn card(name: &str, state: &str) -> String {
    format!("//a[@data-host='{name}' and starts-with(@aria-label, '{name}, {state}, ')]")
}

pub(crate) fn button(text: &str) -> String {
    format!("//button[normalize-space()='{text}']")
}

pub(crate) fn text(of: &str) -> String {
    format!("//*[contains(text(), \"{of}\")]")
}
