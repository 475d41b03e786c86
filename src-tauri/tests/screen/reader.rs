//! Reads the page over the accessibility bus, as a screen reader does.

use std::time::Instant;

use zbus::{
    blocking::{Connection, Proxy, connection, proxy},
    proxy::CacheProperties,
    zvariant::OwnedObjectPath,
};

use super::rig::{Home, PATIENCE};

/// The number of the state "focusable".
const FOCUSABLE: u32 = 11;

/// The numbers of roles. The web view does not tell the names of roles.
const IMAGE: u32 = 27;
const PAGE: u32 = 95;
const LANDMARK: u32 = 110;
/// The role of a row of a table. A row is read by its cells.
const ROW: u32 = 90;

/// The interface that everything on the bus has.
const NODE: &str = "org.a11y.atspi.Accessible";

/// The path of the root of every program.
const ROOT: &str = "/org/a11y/atspi/accessible/root";

/// A node of the tree: the program that it belongs to, and its path there.
type Node = (String, OwnedObjectPath);

/// The accessibility bus.
pub(crate) struct Reader(Connection);

impl Reader {
    pub(crate) fn new() -> Self {
        let session = Connection::session().expect("run this by: cargo xtask app-test");
        let bus = Proxy::new(&session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus").unwrap();
        let address: String = bus.call("GetAddress", &()).unwrap();
        let bus = connection::Builder::address(&*address).and_then(connection::Builder::build);
        Self(bus.unwrap())
    }

    /// Waits until every control and every picture of the page has a name.
    pub(crate) fn all_have_names(&self, home: &Home) {
        let start = Instant::now();
        loop {
            let (nameless, named) = self.names();
            // The navigation alone has several controls. If fewer are found, the page was not read.
            if nameless.is_empty() && named > 5 {
                return;
            }
            let said = home.said();
            assert!(
                start.elapsed() < PATIENCE,
                "{named} with a name, without one: {nameless:#?}\n{said}"
            );
        }
    }

    /// The places of the controls and pictures that have no name, and the number of those that have one.
    fn names(&self) -> (Vec<String>, usize) {
        let registry = "org.a11y.atspi.Registry".to_owned();
        let mut seen = Seen::default();
        self.walk(&(registry, ROOT.try_into().unwrap()), "", &mut seen);
        (seen.nameless, seen.named)
    }

    /// Visits a node and everything in it. `place` has the roles of the nodes above it in the page, and is empty in the
    /// part of the window that belongs to the tool kit. Nodes that have disappeared in the meantime are left out.
    fn walk(&self, node: &Node, place: &str, seen: &mut Seen) {
        let Ok(proxy) = self.proxy(node, NODE) else {
            return;
        };
        let Ok(role) = proxy.call::<_, _, u32>("GetRole", &()) else {
            return;
        };
        let is_page = role == PAGE || !place.is_empty();
        let place = if is_page {
            format!("{place}/{role}")
        } else {
            String::new()
        };
        if is_page && ![PAGE, LANDMARK, ROW].contains(&role) {
            let states: Vec<u32> = proxy.call("GetState", &()).unwrap_or_default();
            let focusable = states
                .first()
                .is_some_and(|bits| bits >> FOCUSABLE & 1 == 1);
            if focusable || role == IMAGE {
                let name: String = proxy.get_property("Name").unwrap_or_default();
                if name.trim().is_empty() && self.text(node).trim().is_empty() {
                    seen.nameless.push(place.clone());
                } else {
                    seen.named += 1;
                }
            }
        }
        for node in children(&proxy) {
            self.walk(&node, &place, seen);
        }
    }

    /// A proxy that requests each property only when it is needed, because most nodes are visited only once.
    fn proxy(&self, (sender, path): &Node, interface: &'static str) -> zbus::Result<Proxy<'_>> {
        proxy::Builder::new(&self.0)
            .destination(sender.clone())?
            .path(path.clone())?
            .interface(interface)?
            .cache_properties(CacheProperties::No)
            .build()
    }

    /// The text of a node that has no name of its own.
    fn text(&self, node: &Node) -> String {
        let proxy = self.proxy(node, "org.a11y.atspi.Text");
        let text = proxy.and_then(|text| text.call("GetText", &(0_i32, -1_i32)));
        text.unwrap_or_default()
    }
}

/// The nodes directly inside a node. The page belongs to another program, so the tool kit does not list it among the
/// nodes of its window. The tool kit does count it, and returns it if the node with its index is requested.
fn children(proxy: &Proxy<'_>) -> Vec<Node> {
    let listed: Vec<Node> = proxy.call("GetChildren", &()).unwrap_or_default();
    if !listed.is_empty() {
        return listed;
    }
    let count: i32 = proxy.get_property("ChildCount").unwrap_or_default();
    (0..count)
        .filter_map(|place| proxy.call("GetChildAtIndex", &place).ok())
        .collect()
}

/// The findings of a walk.
#[derive(Default)]
struct Seen {
    nameless: Vec<String>,
    named: usize,
}
