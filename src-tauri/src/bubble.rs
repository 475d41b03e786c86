//! Shows notifications on the desktop. If a notification leads to a place in the window, a click on it is reported.

use std::sync::{Mutex, PoisonError};

use crate::{view::Place, words::APP};

#[cfg(not(target_os = "linux"))]
use self::elsewhere as desktop;
#[cfg(target_os = "linux")]
use self::linux as desktop;

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The title, in one line.
    pub(crate) title: String,
    /// Details that are shown below the title; may be empty.
    pub(crate) text: String,
    /// The place that a click on the notification shows, and the number of the network that the place belongs to.
    pub(crate) place: Option<(u64, Place)>,
    /// Whether something waits for the person.
    pub(crate) asks: bool,
}

/// The slot of one notification. A new notification in the slot replaces the old one. The slot holds the number of the
/// notification. Linux desktops assign that number when the notification is first shown, and some do so even if the app
/// requests a certain number.
pub(crate) struct Slot(Mutex<u32>);

impl Slot {
    /// Makes a slot. On macOS and Windows, the app chooses the number of a notification: it takes `number`. On Linux,
    /// the desktop chooses the number.
    pub(crate) const fn numbered(number: u32) -> Self {
        let given = cfg!(target_os = "linux");
        Self(Mutex::new(if given { 0 } else { number }))
    }

    /// Shows a notification in the slot for `time_ms` milliseconds. Without `time_ms`, the desktop decides how long.
    /// Does nothing if this machine has no service for notifications.
    pub(crate) fn show(&self, notice: &Notice, time_ms: Option<u16>) {
        let mut id = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match desktop::show(*id, notice, time_ms) {
            Ok(given) => *id = given,
            Err(error) => tracing::warn!("a notification cannot be shown: {error}"),
        }
    }
}

/// Calls `clicked` for each click on a notification that leads to a place, as long as the app runs.
pub(crate) fn begin(clicked: impl Fn(u64, Place) + Send + 'static) {
    desktop::begin(clicked);
}

/// Notifications over the message bus, by the Desktop Notifications Specification.
#[cfg(target_os = "linux")]
mod linux {
    use std::{
        collections::HashMap,
        sync::{Mutex, OnceLock, PoisonError},
    };

    use zbus::{
        MatchRule,
        blocking::{Connection, MessageIterator},
        message::Type,
        zvariant::Value,
    };

    use super::{APP, Notice, Place};
    use crate::words::notice::SHOW;

    const SERVICE: &str = "org.freedesktop.Notifications";
    const PATH: &str = "/org/freedesktop/Notifications";

    /// The action that a click on the notification itself means.
    const DEFAULT: &str = "default";

    /// The name of the capability to interpret markup in the text of a notification.
    const MARKUP: &str = "body-markup";

    /// The place to which each notification leads, by the number of the notification.
    static PLACES: Mutex<Option<HashMap<u32, (u64, Place)>>> = Mutex::new(None);

    /// The connection, which is made once. Some desktops report a click only to the connection that has shown the
    /// notification.
    fn bus() -> Option<&'static Connection> {
        static BUS: OnceLock<Option<Connection>> = OnceLock::new();
        BUS.get_or_init(|| Connection::session().ok()).as_ref()
    }

    pub(super) fn show(id: u32, notice: &Notice, time_ms: Option<u16>) -> zbus::Result<u32> {
        let Some(bus) = bus() else { return Ok(id) };
        let can = bus.call_method(Some(SERVICE), PATH, Some(SERVICE), "GetCapabilities", &())?;
        let can: Vec<String> = can.body().deserialize()?;
        // The text comes from outside, so markup in it must not be interpreted. A desktop without markup would show the
        // escapes literally.
        let body = if can.iter().any(|word| word == MARKUP) {
            notice.text.replace('&', "&amp;").replace('<', "&lt;")
        } else {
            notice.text.clone()
        };
        let actions: &[&str] = match &notice.place {
            Some(_) => &[DEFAULT, SHOW],
            None => &[],
        };
        let hints = HashMap::from([("desktop-entry", Value::from("norouter"))]);
        let time = time_ms.map_or(-1, i32::from);
        let asked = (
            APP,
            id,
            "norouter-app",
            &*notice.title,
            &*body,
            actions,
            hints,
            time,
        );
        let reply = bus.call_method(Some(SERVICE), PATH, Some(SERVICE), "Notify", &asked)?;
        let given: u32 = reply.body().deserialize()?;
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        let places = places.get_or_insert_default();
        places.remove(&id);
        if let Some(place) = &notice.place {
            places.insert(given, place.clone());
        }
        Ok(given)
    }

    pub(super) fn begin(clicked: impl Fn(u64, Place) + Send + 'static) {
        let listen = move || {
            let Some(bus) = bus() else { return Ok(()) };
            let rule = MatchRule::builder()
                .msg_type(Type::Signal)
                .sender(SERVICE)?
                .interface(SERVICE)?
                .member("ActionInvoked")?
                .build();
            for signal in MessageIterator::for_match_rule(rule, bus, None)? {
                let (id, action): (u32, String) = signal?.body().deserialize()?;
                let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
                let place = places.as_mut().and_then(|places| places.remove(&id));
                drop(places);
                if let Some((network, place)) = place.filter(|_| action == DEFAULT) {
                    clicked(network, place);
                    // After a click, some desktops leave the notification on the screen, and the others report that it
                    // does not exist any more.
                    let _ = bus.call_method(
                        Some(SERVICE),
                        PATH,
                        Some(SERVICE),
                        "CloseNotification",
                        &id,
                    );
                }
            }
            Ok::<_, zbus::Error>(())
        };
        let thread = std::thread::Builder::new().name("notifications".to_owned());
        let started = thread.spawn(move || {
            if let Err(error) = listen() {
                tracing::warn!("clicks on notifications are not heard: {error}");
            }
        });
        if let Err(error) = started {
            tracing::warn!("clicks on notifications are not heard: {error}");
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use notify_rust::{Notification, Timeout};

    use super::{APP, Notice, Place};

    pub(super) fn show(
        id: u32,
        notice: &Notice,
        time_ms: Option<u16>,
    ) -> notify_rust::error::Result<u32> {
        let time = time_ms.map_or(Timeout::Default, |time| Timeout::Milliseconds(time.into()));
        let mut shown = Notification::new();
        shown
            .appname(APP)
            .summary(&notice.title)
            .body(&notice.text)
            .icon("norouter-app")
            .id(id)
            .timeout(time);
        shown.show()?;
        Ok(id)
    }

    /// On macOS and Windows, a click on a notification shows the app itself, and is not reported.
    pub(super) fn begin(_clicked: impl Fn(u64, Place) + Send + 'static) {}
}
