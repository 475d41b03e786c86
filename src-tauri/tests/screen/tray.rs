//! The tray, seen as a desktop sees it: through the message bus.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Instant,
};

use zbus::{
    blocking::{Connection, Proxy, connection},
    interface,
    message::Header,
    zvariant::{OwnedValue, Value},
};

use super::rig::{Home, PATIENCE};

/// What shows the icons of a desktop.
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

/// The tray of a desktop that nobody sees.
pub(crate) struct Desktop {
    bus: Connection,
    items: Receiver<(String, String)>,
}

/// The icon of an app.
pub(crate) struct Icon {
    bus: Connection,
    sender: String,
    menu: String,
}

type Node = (
    i32,
    std::collections::HashMap<String, OwnedValue>,
    Vec<OwnedValue>,
);

impl Desktop {
    pub(crate) fn new() -> Self {
        let (sender, items) = channel();
        let bus = connection::Builder::session()
            .and_then(|bus| bus.name("org.kde.StatusNotifierWatcher"))
            .and_then(|bus| bus.serve_at("/StatusNotifierWatcher", Watcher(sender)))
            .and_then(connection::Builder::build);
        Self {
            bus: bus.expect("run this by: cargo xtask app-test"),
            items,
        }
    }

    /// The next icon that comes.
    pub(crate) fn icon(&self) -> Icon {
        let (sender, path) = self.items.recv_timeout(PATIENCE).expect("no icon has come");
        let item = "org.kde.StatusNotifierItem";
        let proxy = Proxy::new(&self.bus, sender.clone(), path, item).unwrap();
        let menu: zbus::zvariant::OwnedObjectPath = proxy.get_property("Menu").unwrap();
        assert_eq!(proxy.get_property::<String>("Status").unwrap(), "Active");
        Icon {
            bus: self.bus.clone(),
            sender,
            menu: menu.to_string(),
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

    /// The lines of the menu with their numbers.
    fn lines(&self) -> Vec<(i32, String)> {
        let asked = (0_i32, -1_i32, vec!["label"]);
        let (_, (_, _, children)): (u32, Node) = self.proxy().call("GetLayout", &asked).unwrap();
        let nodes = children
            .into_iter()
            .map(|child| Node::try_from(child).unwrap());
        nodes
            .filter_map(|(id, properties, _)| {
                let label: String = properties.get("label")?.try_clone().ok()?.try_into().ok()?;
                Some((id, label))
            })
            .collect()
    }

    /// Waits until the menu has a line that begins so, and gives its number.
    pub(crate) fn line(&self, begins: &str, home: &Home) -> i32 {
        let start = Instant::now();
        loop {
            let lines = self.lines();
            if let Some((id, _)) = lines.iter().find(|(_, text)| text.starts_with(begins)) {
                return *id;
            }
            let said = home.said();
            assert!(
                start.elapsed() < PATIENCE,
                "no line {begins:?} in {lines:?}\n{said}"
            );
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    pub(crate) fn click(&self, id: i32) {
        let event = (id, "clicked", Value::from(0_i32), 0_u32);
        let _: () = self.proxy().call("Event", &event).unwrap();
    }
}

/// A network of this machine alone, which needs no consent and no port.
const ALONE: &str = "hosts:\n  laptop: {vip: 127.0.73.1, ports: ['8080:127.0.0.1:80'], dns: {disable: true}, stateDir: {disable: true}}\n";

#[test]
fn a_network_is_started_seen_and_stopped_from_the_tray_alone() {
    let desktop = Desktop::new();
    let home = Home::new();
    let manifest = home.file(&format!("tray-{}.yaml", std::process::id()), ALONE);
    let app = home.start(&["--hidden", &manifest]);
    let icon = desktop.icon();
    icon.click(icon.line("Start", &home));
    icon.line("\u{25cf} laptop: ready", &home);
    icon.line("Copy 127.0.73.1:8080", &home);
    icon.click(icon.line("Stop", &home));
    icon.line("Start", &home);
    icon.click(icon.line("Quit", &home));
    assert_eq!(app.ended(), Some(0), "{}", home.said());
}

#[test]
fn a_second_start_hands_its_manifest_over_and_goes() {
    let desktop = Desktop::new();
    let home = Home::new();
    let app = home.start(&["--hidden"]);
    let icon = desktop.icon();
    icon.line("No network is open", &home);
    let manifest = home.file(&format!("second-{}.yaml", std::process::id()), ALONE);
    let second = home.start(&[&manifest]);
    assert_eq!(second.ended(), Some(0), "{}", home.said());
    icon.line("Start", &home);
    icon.click(icon.line("Quit", &home));
    assert_eq!(app.ended(), Some(0), "{}", home.said());
}
