//! A simulated desktop: a tray and a service for notifications, on the message bus.

use std::{
    collections::HashMap,
    sync::mpsc::{Receiver, Sender, channel},
    time::Instant,
};

use zbus::{
    blocking::{Connection, Proxy, connection, fdo::DBusProxy},
    interface,
    message::Header,
    zvariant::{OwnedValue, Value},
};

use super::rig::{App, Home, PATIENCE};

/// The simulated service that shows the icons of a desktop.
struct Watcher(Sender<(String, String)>);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    #[zbus(name = "RegisterStatusNotifierItem")]
    fn register(&self, service: String, #[zbus(header)] header: Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let _ = self.0.send((sender, service));
    }

    #[zbus(property, name = "IsStatusNotifierHostRegistered")]
    fn host(&self) -> bool {
        true
    }

    #[zbus(property, name = "ProtocolVersion")]
    fn version(&self) -> i32 {
        0
    }
}

/// The simulated service that shows notifications. Like some desktops, it assigns a number to every new notification
/// itself, and ignores a number that the app requests.
struct Notifier {
    seen: Sender<Seen>,
    closed: Sender<u32>,
    count: u32,
}

/// A notification as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: u32,
    /// The number of the notification that this one has replaced; 0 if there is none.
    pub(crate) replaced: u32,
    pub(crate) title: String,
    pub(crate) text: String,
    /// The names of the actions that the notification offers.
    pub(crate) actions: Vec<String>,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Notifier {
    #[allow(
        clippy::too_many_arguments,
        reason = "the Desktop Notifications Specification has them"
    )]
    fn notify(
        &mut self,
        _app: String,
        wanted: u32,
        _icon: String,
        title: String,
        text: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let known = (1..=self.count).contains(&wanted);
        if !known {
            self.count += 1;
        }
        let (id, replaced) = if known {
            (wanted, wanted)
        } else {
            (self.count, 0)
        };
        let _ = self.seen.send(Seen {
            id,
            replaced,
            title,
            text,
            actions: actions.into_iter().step_by(2).collect(),
        });
        id
    }

    #[zbus(name = "CloseNotification")]
    fn close(&self, id: u32) {
        let _ = self.closed.send(id);
    }

    #[zbus(name = "GetCapabilities")]
    fn capabilities(&self) -> Vec<String> {
        vec!["body".to_owned()]
    }

    #[zbus(name = "GetServerInformation")]
    fn about(&self) -> (String, String, String, String) {
        ["a desktop", "norouter", "1", "1.2"]
            .map(str::to_owned)
            .into()
    }
}

/// The simulated service that tells programs that the desktop is dark.
struct Portal;

#[interface(name = "org.freedesktop.portal.Settings")]
impl Portal {
    fn read(&self, _namespace: String, key: String) -> zbus::fdo::Result<OwnedValue> {
        // The specification requires a value inside a value here.
        let value = Value::new(dark(&key)?);
        OwnedValue::try_from(value).map_err(|error| zbus::fdo::Error::Failed(error.to_string()))
    }

    #[zbus(name = "ReadOne")]
    fn read_one(&self, _namespace: String, key: String) -> zbus::fdo::Result<OwnedValue> {
        let value = dark(&key)?;
        OwnedValue::try_from(value).map_err(|error| zbus::fdo::Error::Failed(error.to_string()))
    }

    #[zbus(name = "ReadAll")]
    fn read_all(&self, _namespaces: Vec<String>) -> HashMap<String, HashMap<String, OwnedValue>> {
        let settings = HashMap::from([("color-scheme".to_owned(), OwnedValue::from(1_u32))]);
        HashMap::from([("org.freedesktop.appearance".to_owned(), settings)])
    }

    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        2
    }
}

/// The value of a setting. A dark desktop has only this one.
fn dark(key: &str) -> zbus::fdo::Result<Value<'static>> {
    match key {
        "color-scheme" => Ok(Value::from(1_u32)),
        _ => Err(zbus::fdo::Error::Failed(
            "there is no such setting".to_owned(),
        )),
    }
}

/// A simulated desktop.
pub(crate) struct Desktop {
    bus: Connection,
    items: Receiver<(String, String)>,
    seen: Receiver<Seen>,
    closed: Receiver<u32>,
}

/// The icon of an app.
pub(crate) struct Icon {
    bus: Connection,
    sender: String,
    menu: String,
}

type Node = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

impl Desktop {
    /// A desktop that is dark.
    pub(crate) fn dark() -> Self {
        let desktop = Self::new();
        let path = "/org/freedesktop/portal/desktop";
        let is_new = desktop.bus.object_server().at(path, Portal).unwrap();
        assert!(is_new);
        let name = "org.freedesktop.portal.Desktop";
        desktop.bus.request_name(name).unwrap();
        desktop
    }

    pub(crate) fn new() -> Self {
        let (sender, items) = channel();
        let (seer, seen) = channel();
        let (closer, closed) = channel();
        let notifier = Notifier {
            seen: seer,
            closed: closer,
            count: 0,
        };
        let bus = connection::Builder::session()
            .and_then(|bus| bus.name("org.kde.StatusNotifierWatcher"))
            .and_then(|bus| bus.name("org.freedesktop.Notifications"))
            .and_then(|bus| bus.serve_at("/StatusNotifierWatcher", Watcher(sender)))
            .and_then(|bus| bus.serve_at("/org/freedesktop/Notifications", notifier))
            .and_then(connection::Builder::build);
        Self {
            bus: bus.expect("run this by: cargo xtask app-test"),
            items,
            seen,
            closed,
        }
    }

    /// The next notification that is shown.
    pub(crate) fn notification(&self) -> Seen {
        let seen = self.seen.recv_timeout(PATIENCE);
        seen.expect("no notification has come")
    }

    /// Clicks on a notification. The app is told in the same way as by the service of a real desktop. Waits until the
    /// app closes the notification.
    pub(crate) fn click(&self, seen: &Seen) {
        let path = "/org/freedesktop/Notifications";
        let clicked = (seen.id, "default");
        self.bus
            .emit_signal(
                None::<&str>,
                path,
                "org.freedesktop.Notifications",
                "ActionInvoked",
                &clicked,
            )
            .unwrap();
        let closed = self.closed.recv_timeout(PATIENCE);
        assert_eq!(closed.expect("no notification was closed"), seen.id);
    }

    /// The icon of a process. Icons of other processes are skipped, because an app that has ended may have announced
    /// its icon more than once.
    pub(crate) fn icon(&self, pid: u32) -> Icon {
        let bus = DBusProxy::new(&self.bus).unwrap();
        loop {
            let (sender, path) = self.items.recv_timeout(PATIENCE).expect("no icon has come");
            let name = sender.as_str().try_into().unwrap();
            if bus.get_connection_unix_process_id(name) != Ok(pid) {
                continue;
            }
            let item = "org.kde.StatusNotifierItem";
            let proxy = Proxy::new(&self.bus, sender.clone(), path, item).unwrap();
            let menu: zbus::zvariant::OwnedObjectPath = proxy.get_property("Menu").unwrap();
            assert_eq!(proxy.get_property::<String>("Status").unwrap(), "Active");
            return Icon {
                bus: self.bus.clone(),
                sender,
                menu: menu.to_string(),
            };
        }
    }
}

impl Icon {
    fn proxy(&self) -> Proxy<'_> {
        let menu = self.menu.as_str();
        Proxy::new(
            &self.bus,
            self.sender.as_str(),
            menu,
            "com.canonical.dbusmenu",
        )
        .unwrap()
    }

    /// The lines of the menu with their numbers. Each line contains the lines of its submenu.
    fn lines(&self) -> Vec<Entry> {
        let asked = (0_i32, -1_i32, vec!["label"]);
        let (_, (_, _, children)): (u32, Node) = self.proxy().call("GetLayout", &asked).unwrap();
        entries(children)
    }

    /// Waits until the menu has a line that begins with this text.
    pub(crate) fn shows(&self, home: &Home, begins: &str) {
        self.until(home, &[begins], |_| true);
    }

    /// Waits until the menu has a line that begins with this text, and clicks on it.
    pub(crate) fn click(&self, home: &Home, begins: &str) {
        self.click_in(home, &[begins]);
    }

    /// Clicks on "Quit" until the app has ended, and returns its exit code. The menu's library runs a click a moment after
    /// it has accepted it. If the app has rebuilt the menu in that moment, the click is lost, and a person clicks again.
    pub(crate) fn quit(&self, home: &Home, mut app: App) -> Option<i32> {
        for _ in 0..3 {
            self.click(home, "Quit");
            if let Some(code) = app.ends_within(PATIENCE / 3) {
                return code;
            }
        }
        panic!("the app does not end\n{}", home.said());
    }

    /// Waits until the menu has a line that begins with the first text, and the submenu of that line has a line that
    /// begins with the second text, and so on.
    pub(crate) fn shows_in(&self, home: &Home, begin: &[&str]) {
        self.until(home, begin, |_| true);
    }

    /// Clicks on a line of a submenu. The texts are the beginnings of the lines that lead to it.
    pub(crate) fn click_in(&self, home: &Home, begin: &[&str]) {
        self.until(home, begin, |id| {
            let event = (id, "clicked", Value::from(0_i32), 0_u32);
            // If the menu was rebuilt in between, its lines have other numbers, and the call fails.
            self.proxy().call::<_, _, ()>("Event", &event).is_ok()
        });
    }

    /// The texts of the submenu of the line that begins with this text.
    pub(crate) fn inside(&self, begins: &str) -> Vec<String> {
        let lines = self.lines().into_iter();
        let mut found = lines.filter(|line| line.text.starts_with(begins));
        let inside = found.next().map(|line| line.inside).unwrap_or_default();
        inside.into_iter().map(|line| line.text).collect()
    }

    fn until(&self, home: &Home, begin: &[&str], done: impl Fn(i32) -> bool) {
        let start = Instant::now();
        loop {
            let lines = self.lines();
            if found(&lines, begin).is_some_and(&done) {
                return;
            }
            let said = home.said();
            assert!(
                start.elapsed() < PATIENCE,
                "no line {begin:?} in {lines:?}\n{said}"
            );
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

/// A line of a menu: its number, its text, and the lines of its submenu.
#[derive(Debug)]
struct Entry {
    id: i32,
    text: String,
    inside: Vec<Entry>,
}

fn entries(children: Vec<OwnedValue>) -> Vec<Entry> {
    let nodes = children
        .into_iter()
        .map(|child| Node::try_from(child).unwrap());
    nodes
        .filter_map(|(id, properties, children)| {
            let text: String = properties.get("label")?.try_clone().ok()?.try_into().ok()?;
            let inside = entries(children);
            Some(Entry { id, text, inside })
        })
        .collect()
}

/// Follows these beginnings from menu to submenu, and returns the number of the last line.
fn found(lines: &[Entry], begin: &[&str]) -> Option<i32> {
    let (first, rest) = begin.split_first()?;
    let line = lines.iter().find(|line| line.text.starts_with(first))?;
    if rest.is_empty() {
        Some(line.id)
    } else {
        found(&line.inside, rest)
    }
}
