//! The X display. The tests use it as a window manager and a person do: with windows, keys and the selection.

use x11rb::{
    connection::Connection as _,
    protocol::{
        xproto::{
            self, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask,
            InputFocus, MapState, Window,
        },
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

use super::rig::Home;

/// Keys by their numbers in X11's `keysymdef.h`.
pub(crate) const RETURN: u32 = 0xff0d;
pub(crate) const ESCAPE: u32 = 0xff1b;
pub(crate) const TAB: u32 = 0xff09;
pub(crate) const UP: u32 = 0xff52;
pub(crate) const DOWN: u32 = 0xff54;
pub(crate) const SPACE: u32 = 0x20;
const SHIFT: u32 = 0xffe1;
pub(crate) const CONTROL: u32 = 0xffe3;
pub(crate) const ALT: u32 = 0xffe9;
pub(crate) const LETTER_A: u32 = 0x61;
pub(crate) const LETTER_F: u32 = 0x66;
pub(crate) const LETTER_N: u32 = 0x6e;
pub(crate) const LETTER_P: u32 = 0x70;
pub(crate) const LETTER_R: u32 = 0x72;
pub(crate) const LETTER_S: u32 = 0x73;
pub(crate) const LETTER_V: u32 = 0x76;
pub(crate) const NUMBER_1: u32 = 0x31;
pub(crate) const NUMBER_2: u32 = 0x32;
pub(crate) const NUMBER_3: u32 = 0x33;
pub(crate) const NUMBER_4: u32 = 0x34;

/// Buttons of the mouse by their numbers in X11.
pub(crate) const LEFT: u8 = 1;
pub(crate) const RIGHT: u8 = 3;

/// A point of a window: x, y.
pub(crate) type Point = (i16, i16);

/// The X display on which the app is shown. There is no window manager.
pub(crate) struct Display {
    pub(super) connection: RustConnection,
    pub(super) root: Window,
}

/// The position and the size of a window: x, y, width, height.
pub(crate) type Place = (i16, i16, u16, u16);

impl Display {
    pub(crate) fn open() -> Self {
        let (connection, number) =
            RustConnection::connect(None).expect("run this by: cargo xtask app-test");
        let root = connection.setup().roots[number].root;
        Self { connection, root }
    }

    pub(super) fn atom(&self, name: &str) -> u32 {
        let asked = self.connection.intern_atom(false, name.as_bytes());
        asked.unwrap().reply().unwrap().atom
    }

    /// The first value of a window's property; `None` if the window or the property does not exist.
    fn property(&self, window: Window, name: &str) -> Option<u32> {
        let name = self.atom(name);
        let asked = self
            .connection
            .get_property(false, window, name, xproto::AtomEnum::ANY, 0, 1);
        asked.unwrap().reply().ok()?.value32()?.next()
    }

    /// The visible windows of this kind (`NORMAL` or `DIALOG`) that belong to a process.
    pub(crate) fn windows(&self, pid: u32, kind: &str) -> Vec<Window> {
        let kind = self.atom(&format!("_NET_WM_WINDOW_TYPE_{kind}"));
        let tree = self.connection.query_tree(self.root).unwrap();
        let mut windows = tree.reply().unwrap().children;
        windows.retain(|window| {
            let asked = self.connection.get_window_attributes(*window).unwrap();
            asked
                .reply()
                .is_ok_and(|window| window.map_state == MapState::VIEWABLE)
                && self.property(*window, "_NET_WM_PID") == Some(pid)
                && self.property(*window, "_NET_WM_WINDOW_TYPE") == Some(kind)
        });
        windows
    }

    /// Waits until a process has exactly one visible window of this kind.
    pub(crate) fn window(&self, home: &Home, pid: u32, kind: &str) -> Window {
        home.wait(&format!("there is not one window: {kind}"), || {
            match self.windows(pid, kind)[..] {
                [window] => Some(window),
                _ => None,
            }
        })
    }

    /// Waits until a process has no visible window of this kind.
    pub(crate) fn no_window(&self, home: &Home, pid: u32, kind: &str) {
        home.wait(&format!("there is a window: {kind}"), || {
            self.windows(pid, kind).is_empty().then_some(())
        });
    }

    pub(crate) fn place(&self, window: Window) -> Option<Place> {
        let place = self.connection.get_geometry(window).unwrap().reply().ok()?;
        Some((place.x, place.y, place.width, place.height))
    }

    /// Moves a window and changes its size.
    pub(crate) fn put(&self, window: Window, (x, y, width, height): Place) {
        let change = ConfigureWindowAux::new()
            .x(i32::from(x))
            .y(i32::from(y))
            .width(u32::from(width))
            .height(u32::from(height));
        self.connection.configure_window(window, &change).unwrap();
        self.connection.sync().unwrap();
    }

    /// Closes a window as the close button of its frame would.
    pub(crate) fn close(&self, window: Window) {
        let protocols = self.atom("WM_PROTOCOLS");
        let delete = self.atom("WM_DELETE_WINDOW");
        let event = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
        let sent = self
            .connection
            .send_event(false, window, EventMask::NO_EVENT, event);
        sent.unwrap().check().unwrap();
    }

    /// Whether this window, or a window inside it, has the keyboard focus.
    pub(crate) fn has_keyboard(&self, window: Window) -> bool {
        let mut focus = self
            .connection
            .get_input_focus()
            .unwrap()
            .reply()
            .unwrap()
            .focus;
        while focus != window {
            // Either no window has the focus, or the window under the pointer has it.
            if focus <= 1 || focus == self.root {
                return false;
            }
            match self.connection.query_tree(focus).unwrap().reply() {
                Ok(tree) => focus = tree.parent,
                Err(_) => return false,
            }
        }
        true
    }

    /// Takes the keyboard focus from all windows.
    pub(crate) fn take_keyboard(&self) {
        self.keyboard(0);
    }

    fn keyboard(&self, window: Window) {
        let asked = self
            .connection
            .set_input_focus(InputFocus::NONE, window, x11rb::CURRENT_TIME);
        asked.unwrap().check().unwrap();
    }

    /// Presses these keys together in a window, with Shift if one of them is a character that needs it.
    pub(crate) fn press(&self, window: Window, keys: &[u32]) {
        self.keyboard(window);
        let found: Vec<(u8, bool)> = keys.iter().map(|key| self.code(*key)).collect();
        let shift = found.iter().any(|(_, shifted)| *shifted);
        let shift = shift.then(|| self.code(SHIFT).0);
        let keys = found.iter().map(|(key, _)| *key);
        let keys: Vec<u8> = shift.into_iter().chain(keys).collect();
        let down = keys.iter().map(|key| (xproto::KEY_PRESS_EVENT, *key));
        let up = keys.iter().rev();
        let up = up.map(|key| (xproto::KEY_RELEASE_EVENT, *key));
        for (what, key) in down.chain(up) {
            self.fake(what, key, (0, 0));
        }
    }

    /// Types a text of ASCII characters in a window.
    pub(crate) fn write(&self, window: Window, text: &str) {
        for letter in text.chars() {
            self.press(window, &[u32::from(letter)]);
        }
    }

    /// Moves the pointer to a point of a window.
    pub(crate) fn point(&self, window: Window, (x, y): Point) {
        let (left, top, ..) = self.place(window).unwrap();
        self.fake(xproto::MOTION_NOTIFY_EVENT, 0, (left + x, top + y));
    }

    /// Presses a button of the mouse.
    pub(crate) fn hold(&self, button: u8) {
        self.fake(xproto::BUTTON_PRESS_EVENT, button, (0, 0));
    }

    /// Releases a button of the mouse.
    pub(crate) fn let_go(&self, button: u8) {
        self.fake(xproto::BUTTON_RELEASE_EVENT, button, (0, 0));
    }

    fn fake(&self, what: u8, detail: u8, (x, y): Point) {
        let sent = self
            .connection
            .xtest_fake_input(what, detail, 0, self.root, x, y, 0);
        sent.unwrap().check().unwrap();
    }

    /// The keycode of a key on this display's keyboard, and whether Shift has to be pressed with it.
    fn code(&self, key: u32) -> (u8, bool) {
        let setup = self.connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let asked = self
            .connection
            .get_keyboard_mapping(first, last - first + 1);
        let map = asked.unwrap().reply().unwrap();
        let columns = usize::from(map.keysyms_per_keycode);
        let column = |column: usize| {
            let mut keys = map.keysyms.chunks(columns);
            keys.position(|keys| keys.get(column) == Some(&key))
        };
        let (at, shifted) = match (column(0), column(1)) {
            (Some(at), _) => (at, false),
            (None, at) => (at.expect("there is no such key"), true),
        };
        (first + u8::try_from(at).unwrap(), shifted)
    }
}
