//! Drops files on a window as a file manager does. This uses version 5 of the XDND protocol
//! (<https://freedesktop.org/wiki/Specifications/XDND/>).

use x11rb::{
    connection::Connection as _,
    protocol::{
        Event,
        xproto::{
            self, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
            SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
        },
    },
    wrapper::ConnectionExt as _,
};

use super::{display::Display, rig::Home};

const VERSION: u32 = 5;

/// Files that are being dragged over the middle of a window, which has accepted them.
pub(crate) struct Drag<'a> {
    display: &'a Display,
    source: Window,
    target: Window,
    uris: String,
}

impl Drag<'_> {
    /// Drops the files.
    pub(crate) fn drop(self, home: &Home) {
        self.tell("XdndDrop", [0, x11rb::CURRENT_TIME, 0, 0]);
        let finished = self.display.atom("XdndFinished");
        home.wait("the window has not finished with what was dropped", || {
            let (kind, _) = self.display.heard(&self.uris)?;
            (kind == finished).then_some(())
        });
        self.end();
    }

    /// Drags the files out of the window.
    pub(crate) fn leave(self) {
        self.tell("XdndLeave", [0; 4]);
        self.end();
    }

    fn tell(&self, what: &str, [second, third, fourth, fifth]: [u32; 4]) {
        let words = [self.source, second, third, fourth, fifth];
        let event = ClientMessageEvent::new(32, self.target, self.display.atom(what), words);
        let sent =
            self.display
                .connection
                .send_event(false, self.target, EventMask::NO_EVENT, event);
        sent.unwrap().check().unwrap();
    }

    fn end(self) {
        let gone = self.display.connection.destroy_window(self.source);
        gone.unwrap().check().unwrap();
    }
}

impl Display {
    /// Drags files over the middle of a window, and waits until the window accepts them.
    pub(crate) fn drag(&self, home: &Home, target: Window, files: &[&str]) -> Drag<'_> {
        let drag = Drag {
            display: self,
            source: self.source(),
            target,
            uris: files
                .iter()
                .map(|file| format!("file://{file}\r\n"))
                .collect(),
        };
        let (x, y, width, height) = self.place(target).unwrap();
        let (x, y) = (
            x.cast_unsigned() + width / 2,
            y.cast_unsigned() + height / 2,
        );
        let point = u32::from(x) << 16 | u32::from(y);
        let (list, copy) = (self.atom("text/uri-list"), self.atom("XdndActionCopy"));
        let status = self.atom("XdndStatus");
        let hover = || drag.tell("XdndPosition", [0, point, x11rb::CURRENT_TIME, copy]);
        drag.tell("XdndEnter", [VERSION << 24, list, 0, 0]);
        hover();
        home.wait("the window does not take what is over it", || {
            let (kind, words) = self.heard(&drag.uris)?;
            if kind == status && words[1] & 1 == 1 {
                return Some(());
            }
            // The window has not accepted the files yet, so the pointer moves again.
            hover();
            None
        });
        drag
    }

    /// Creates an invisible window that offers the dragged files.
    fn source(&self) -> Window {
        let window = self.connection.generate_id().unwrap();
        let made = self.connection.create_window(
            x11rb::COPY_DEPTH_FROM_PARENT,
            window,
            self.root,
            0,
            0,
            1,
            1,
            0,
            WindowClass::INPUT_OUTPUT,
            x11rb::COPY_FROM_PARENT,
            &CreateWindowAux::new(),
        );
        made.unwrap().check().unwrap();
        let owned = self.connection.set_selection_owner(
            window,
            self.atom("XdndSelection"),
            x11rb::CURRENT_TIME,
        );
        owned.unwrap().check().unwrap();
        window
    }

    /// The next message from the window to the source of the drag; `None` if none has arrived. If the window has
    /// requested the dragged files before this message, that request is answered first.
    fn heard(&self, uris: &str) -> Option<(xproto::Atom, [u32; 5])> {
        while let Some(event) = self.connection.poll_for_event().unwrap() {
            match event {
                Event::SelectionRequest(asked) => self.give(&asked, uris),
                Event::ClientMessage(message) => {
                    return Some((message.type_, message.data.as_data32()));
                }
                _ => {}
            }
        }
        None
    }

    fn give(&self, asked: &SelectionRequestEvent, uris: &str) {
        let changed = self.connection.change_property8(
            PropMode::REPLACE,
            asked.requestor,
            asked.property,
            asked.target,
            uris.as_bytes(),
        );
        changed.unwrap().check().unwrap();
        let given = SelectionNotifyEvent {
            response_type: xproto::SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: asked.time,
            requestor: asked.requestor,
            selection: asked.selection,
            target: asked.target,
            property: asked.property,
        };
        let sent = self
            .connection
            .send_event(false, asked.requestor, EventMask::NO_EVENT, given);
        sent.unwrap().check().unwrap();
    }
}
