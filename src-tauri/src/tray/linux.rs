//! Finds out whether this desktop has a tray. Some desktops have none, and some have one that shows no icons.

/// Libraries that can draw the icon; one of them is enough.
const LIBRARIES: [&str; 2] = ["libayatana-appindicator3.so.1", "libappindicator3.so.1"];

/// The service that shows the icons of a desktop.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// Whether an icon can be created. If the library is missing, an attempt would end the program.
pub(super) fn is_possible() -> bool {
    LIBRARIES.iter().any(|library| {
        #[allow(
            unsafe_code,
            reason = "loading a library runs its code; this one is loaded anyway a moment later"
        )]
        unsafe { libloading::Library::new(library) }.is_ok()
    })
}

/// Whether the desktop has a service that shows icons.
pub(super) fn is_shown() -> bool {
    let ask = || {
        let bus = zbus::blocking::Connection::session()?;
        let bus = zbus::blocking::fdo::DBusProxy::new(&bus)?;
        let name = WATCHER.try_into().map_err(zbus::Error::from)?;
        Ok::<_, zbus::Error>(bus.name_has_owner(name)?)
    };
    ask().unwrap_or(false)
}
