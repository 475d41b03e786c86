//! Tests of the editor of manifests with the real engine. The picture, the form, the text and the command line edit one
//! file, and leave all other lines as the person has written them.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::Command,
};

use fantoccini::Locator;
use serde_json::json;

use super::{
    display::{
        ALT, CONTROL, Display, ESCAPE, LEFT, LETTER_A, LETTER_N, LETTER_P, LETTER_R, LETTER_S,
        NUMBER_1, NUMBER_2, NUMBER_3, NUMBER_4, Point, RETURN, TAB, UP,
    },
    page::{button, card, text},
    rig::{Driven, Home},
    site,
};

/// A manifest that a person has written, with comments, anchors, a merge key and a template.
const OFFICE: &str = include_str!("../../../tests/edit/corpus/47-office.yaml");

/// The button that undoes the last step, if there is one.
const UNDO: &str = "//main//button[starts-with(@aria-label, 'Undo')]";

/// The XPath of a host in the picture.
pub(crate) fn host(name: &str) -> String {
    format!("//*[@data-host='{name}' and @data-grip]")
}

/// The XPath of a route in the picture. Routes are counted from 1.
pub(crate) fn cloud(number: usize) -> String {
    format!("//*[@data-cloud='{}']", number - 1)
}

/// The XPath of a published port on the card of a host.
pub(crate) fn socket(host: &str, port: u16) -> String {
    format!("//button[starts-with(@aria-label, 'Port {port} of {host}, ')]")
}

pub(crate) fn field(label: &str) -> String {
    format!("//input[@aria-label='{label}']")
}

/// The block of lines in which two texts differ: first the lines of `before`, and then those of `after`.
fn difference<'a>(before: &'a str, after: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let lines = |text: &'a str| text.split_inclusive('\n').collect::<Vec<_>>();
    let (mut before, mut after) = (lines(before), lines(after));
    while let (Some(one), Some(other)) = (before.last(), after.last())
        && one == other
    {
        before.pop();
        after.pop();
    }
    let same = before
        .iter()
        .zip(&after)
        .take_while(|(one, other)| one == other);
    let same = same.count();
    (before.split_off(same), after.split_off(same))
}

/// A person in front of the window.
pub(crate) struct Person {
    pub(crate) display: Display,
    pub(crate) home: Home,
    pub(crate) app: Driven,
    window: u32,
}

impl Person {
    /// Opens a manifest whose network does not run.
    async fn open(home: Home, path: &str) -> Self {
        Self::start(home, &[path]).await
    }

    /// Starts the app with these words.
    pub(crate) async fn start(home: Home, words: &[&str]) -> Self {
        let app = Driven::start(&home, words).await;
        let display = Display::open();
        let window = display.window(&home, app.pid(), "NORMAL");
        Self {
            display,
            home,
            app,
            window,
        }
    }

    pub(crate) fn press(&self, keys: &[u32]) {
        self.display.press(self.window, keys);
    }

    fn write(&self, text: &str) {
        self.display.write(self.window, text);
    }

    pub(crate) async fn sees(&self, what: &str) {
        self.app.sees(&self.home, what).await;
    }

    pub(crate) async fn focused(&self, what: &str) {
        self.app.focused(&self.home, what).await;
    }

    pub(crate) async fn tap(&self, what: &str) {
        self.app.tap(&self.home, &self.display, what).await;
    }

    pub(crate) async fn middle(&self, what: &str) -> Point {
        self.app.middle(&self.home, what).await
    }

    /// Replaces the text of the field that has the focus, and confirms the new text with Enter.
    pub(crate) async fn retype(&self, label: &str, text: &str) {
        self.focused(&field(label)).await;
        self.press(&[CONTROL, LETTER_A]);
        self.type_in(&field(label), text).await;
        self.press(&[RETURN]);
    }

    /// Types a text into the field that has the focus, and waits until the field has it. Otherwise a click could
    /// overtake the keys, because the web view delivers the keys one by one.
    pub(crate) async fn type_in(&self, field: &str, text: &str) {
        self.focused(field).await;
        self.write(text);
        let script = format!(
            "const field = document.evaluate({}, document, null, 9, null).singleNodeValue;
             return field?.value === {} ? true : null;",
            json!(field),
            json!(text)
        );
        self.app
            .until_found(&self.home, &script, &format!("{field} is not {text}"))
            .await;
    }

    /// Saves a change that needs approval with the keyboard: the first press shows the text and the effect, and the
    /// second one saves. Then approves the change on the page of the network. Returns the new content of the file.
    pub(crate) async fn apply(&self, path: &str) -> String {
        let before = fs::read_to_string(path).unwrap();
        self.sees("//button[normalize-space()='Save' and not(@disabled)]")
            .await;
        self.press(&[CONTROL, LETTER_S]);
        self.sees("//dialog//button[normalize-space()='Save' and not(@disabled)]")
            .await;
        assert_eq!(fs::read_to_string(path).unwrap(), before);
        self.press(&[CONTROL, LETTER_S]);
        let saved = self.saved(path, &before);
        self.sees("//body[not(.//dialog)]").await;
        self.press(&[CONTROL, NUMBER_1]);
        let approve = button("Approve and apply");
        self.app.tab_to(&self.home, &self.display, &approve).await;
        self.press(&[RETURN]);
        saved
    }

    /// Waits until the file has another content, and returns it.
    pub(crate) fn saved(&self, path: &str, before: &str) -> String {
        self.home.wait("the file is not saved", || {
            let now = fs::read_to_string(path).unwrap();
            (now != before && !now.is_empty()).then_some(now)
        })
    }

    /// Saves the manifest with the keyboard, and returns the new content of the file.
    async fn save(&self, path: &str) -> String {
        let before = fs::read_to_string(path).unwrap();
        self.sees("//button[normalize-space()='Save' and not(@disabled)]")
            .await;
        self.press(&[CONTROL, LETTER_S]);
        self.saved(path, &before)
    }

    /// The position and the size of an element.
    async fn place(&self, what: &str) -> (i16, i16, i16, i16) {
        self.sees(what).await;
        let found = self.app.page.find(Locator::XPath(what)).await.unwrap();
        let (x, y, width, height) = found.rectangle().await.unwrap();
        #[allow(
            clippy::cast_possible_truncation,
            reason = "no screen has so many pixels"
        )]
        let whole = |length: f64| length as i16;
        (whole(x), whole(y), whole(width), whole(height))
    }

    fn click_twice(&self, point: Point) {
        self.display.point(self.window, point);
        for _ in 0..2 {
            self.display.hold(LEFT);
            self.display.let_go(LEFT);
        }
    }

    /// Drags the element at one point to another point.
    pub(crate) fn drag(&self, (x, y): Point, (to_x, to_y): Point) {
        self.display.point(self.window, (x, y));
        self.display.hold(LEFT);
        for step in 1..=8 {
            let part = |from: i16, to: i16| from + (to - from) / 8 * step;
            self.display
                .point(self.window, (part(x, to_x), part(y, to_y)));
        }
        self.display.point(self.window, (to_x, to_y));
        self.display.let_go(LEFT);
    }
}

#[tokio::test]
async fn the_picture_the_form_and_the_shell_each_change_one_line_of_a_file() {
    let program = std::env::var("NOROUTER").expect("run this by: cargo xtask app-test");
    let home = Home::new();
    let path = home.file(&format!("office-{}.yaml", std::process::id()), OFFICE);
    let me = Person::open(home, &path).await;
    me.app.click(&me.home, &button("Cancel")).await;
    me.press(&[CONTROL, NUMBER_4]);

    // The file does not change when it is opened and its views are shown. The picture is the first view.
    me.sees(&host("db")).await;
    me.press(&[ALT, NUMBER_3]);
    me.sees("//*[contains(@class, 'cm-line') and contains(., 'Ask ada before')]")
        .await;
    me.press(&[ALT, NUMBER_2]);
    me.sees("//nav[@aria-label='Parts of the manifest']").await;
    me.press(&[ALT, NUMBER_1]);
    me.sees(&host("db")).await;
    assert_eq!(fs::read_to_string(&path).unwrap(), OFFICE);

    // An edit in the picture. Another host has the same port by a merge key, so the person is asked how far the change
    // reaches.
    me.tap(&socket("web1", 8080)).await;
    me.retype("Port of web1", "8088:127.0.0.1:80").await;
    me.sees("//dialog//*[.='This value is shared']").await;
    me.app
        .click(&me.home, "//dialog//button[normalize-space()='For all']")
        .await;
    me.sees(&socket("web1", 8088)).await;
    me.sees(&socket("web2", 8088)).await;
    let first = me.save(&path).await;
    assert_eq!(
        difference(OFFICE, &first),
        (
            vec!["      - \"8080:127.0.0.1:80\"\n"],
            vec!["      - \"8088:127.0.0.1:80\"\n"]
        )
    );

    // An edit in the form. The comment after the list is kept.
    me.press(&[ALT, NUMBER_2]);
    me.tap(
        "//nav[@aria-label='Parts of the manifest']//button[starts-with(normalize-space(), 'db')]",
    )
    .await;
    me.sees("//button[@aria-current and starts-with(normalize-space(), 'db')]")
        .await;
    // The first port comes from the template.
    me.app.click(&me.home, &field("Ports 2")).await;
    me.retype("Ports 2", "15432:127.0.0.1:5432").await;
    let second = me.save(&path).await;
    let behind = "          # never publish 5433: it is the replica\n";
    assert_eq!(
        difference(&first, &second),
        (
            vec![&*format!("    ports: [\"5432:127.0.0.1:5432\"]{behind}")],
            vec![&*format!("    ports: [\"15432:127.0.0.1:5432\"]{behind}")]
        )
    );

    // An edit by the command line. The app shows it.
    let mut shell = Command::new(program);
    let shell = me.home.dress(&mut shell).args(["port", "add", "web1"]);
    shell.args(["8444:127.0.0.1:8443", "--everywhere", "--yes"]);
    let done = shell.args(["--file", &path]).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let third = fs::read_to_string(&path).unwrap();
    assert_eq!(
        difference(&second, &third),
        (vec![], vec!["      - \"8444:127.0.0.1:8443\"\n"])
    );
    me.press(&[ALT, NUMBER_1]);
    me.sees(&socket("web1", 8444)).await;
    me.sees(&socket("db", 15432)).await;

    // All three edits are in one history. Undoing them restores every byte of the file.
    for _ in 0..3 {
        me.sees(&format!("{UNDO}[not(@disabled)]")).await;
        me.tap(UNDO).await;
    }
    me.sees("//button[@aria-label='Nothing to undo']").await;
    me.sees(&socket("web1", 8080)).await;
    me.sees(&socket("db", 5432)).await;
    assert_eq!(fs::read_to_string(&path).unwrap(), third);
    assert_eq!(me.save(&path).await, OFFICE);
    me.app.end().await;
}

#[tokio::test]
async fn edits_that_were_not_saved_outlive_a_crash() {
    let home = Home::new();
    let path = home.file(&format!("crash-{}.yaml", std::process::id()), OFFICE);
    let me = Person::open(home, &path).await;
    me.app.click(&me.home, &button("Cancel")).await;
    me.press(&[CONTROL, NUMBER_4]);
    me.tap(&socket("db", 5432)).await;
    me.retype("Port of db", "15432:127.0.0.1:5432").await;
    me.sees(&socket("db", 15432)).await;
    let Person { home, app, .. } = me;
    app.kill(&home);
    assert_eq!(fs::read_to_string(&path).unwrap(), OFFICE);

    // After the next start, the view and the edit are restored. The edit is one step, which can be undone.
    let me = Person::open(home, &path).await;
    me.app.click(&me.home, &button("Cancel")).await;
    me.press(&[CONTROL, NUMBER_4]);
    me.sees(&text("Unsaved changes restored")).await;
    me.sees(&socket("db", 15432)).await;
    me.tap(UNDO).await;
    me.sees(&socket("db", 5432)).await;
    me.tap("//button[starts-with(@aria-label, 'Redo')]").await;
    me.sees(&socket("db", 15432)).await;
    let saved = me.save(&path).await;
    assert_eq!(saved, OFFICE.replace("\"5432:", "\"15432:"));
    me.app.end().await;
}

/// A manifest with only this machine. Its template has the settings that every host needs if several agents run on one
/// machine. Returns the text, and the port of the proxy.
fn alone(block: &str, name: &str) -> (String, u16) {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let proxy = free.local_addr().unwrap().port();
    let manifest = format!(
        "# {name}\nnetwork: \"{block}.0/24\"\nhostTemplate:\n  loopback: {{disable: true}}\n  dns: {{disable: true}}\n  stateDir: {{disable: true}}\nhosts:\n  laptop:\n    vip: {block}.1\n    loopback: {{}}\n    http: {{listen: \"127.0.0.1:{proxy}\"}}\n"
    );
    (manifest, proxy)
}

#[tokio::test]
async fn with_keys_alone_this_machine_gets_two_hosts_a_port_and_a_route() {
    let program = std::env::var("NOROUTER").expect("run this by: cargo xtask app-test");
    let home = Home::new();
    let near = site::open();
    // The address of a site outside the network. Only a gateway leads there.
    let beyond = Ipv4Addr::new(127, 0, 85, 50);
    let far = site::open_at(beyond);
    let (manifest, proxy) = alone("127.0.84", "keys");
    let path = home.file(&format!("keys-{}.yaml", std::process::id()), &manifest);
    let me = Person::open(home, &path).await;
    let tab_to = async |what: &str| me.app.tab_to(&me.home, &me.display, what).await;
    tab_to(&button("Approve and start")).await;
    me.press(&[RETURN]);
    me.sees(&card("laptop", "ready")).await;
    me.press(&[CONTROL, NUMBER_4]);
    me.sees(&host("laptop")).await;

    // Adds two hosts that are reached by any command. This kind is the last item of the menu.
    for name in ["web", "gate"] {
        me.press(&[LETTER_N]);
        me.focused("//*[@role='menu']//button[1]").await;
        me.press(&[UP]);
        me.focused("//*[@role='menuitem' and contains(., 'any command')]")
            .await;
        me.press(&[RETURN]);
        me.focused("//form//input[@name='name']").await;
        me.press(&[CONTROL, LETTER_A]);
        me.type_in("//form//input[@name='name']", name).await;
        me.press(&[TAB]);
        me.type_in("//form//input[@name='target']", &program).await;
        me.press(&[RETURN]);
        me.focused(&host(name)).await;
        if name == "web" {
            me.press(&[LETTER_P]);
            let port = format!("{near}:127.0.0.1:{near}");
            me.retype("Port of web", &port).await;
            me.focused("//button[@aria-label='Publish a port of web']")
                .await;
            me.press(&[ESCAPE]);
            me.focused(&host("web")).await;
        }
    }
    me.press(&[LETTER_R]);
    me.retype("Add a destination", &format!("{beyond}/32"))
        .await;
    me.focused(&cloud(1)).await;

    // Nothing is saved before the person has seen the effect, and nothing runs before the commands are approved.
    let saved = me.apply(&path).await;
    assert!(saved.starts_with(&manifest), "{saved}");
    for name in ["web", "gate"] {
        me.sees(&card(name, "ready")).await;
    }
    let written = saved.split("  web:").nth(1).unwrap();
    let vip = written.split('"').nth(1).unwrap().parse().unwrap();
    drop(site::get(vip, near));

    // A connection through the route is open, and the page names the host through which it leads.
    let open = site::get_by_proxy(proxy, SocketAddr::from((beyond, far)));
    me.app.turn_to(&me.home, "Connections").await;
    me.sees(
        "//*[@role='grid']//*[@role='row' and contains(., 'laptop') and contains(., 'gate:relay')]",
    )
    .await;
    drop(open);
    me.app.end().await;
}

#[tokio::test]
async fn with_the_pointer_hosts_ports_and_routes_are_placed_dragged_and_taken_back() {
    let home = Home::new();
    let (manifest, _) = alone("127.0.86", "pointer");
    let path = home.file(&format!("pointer-{}.yaml", std::process::id()), &manifest);
    let me = Person::open(home, &path).await;
    me.tap(&button("Cancel")).await;
    me.tap("//nav//a[normalize-space(span)='Manifest']").await;
    me.tap("//button[@title='Picture (Alt+1)']").await;
    me.sees(&host("laptop")).await;

    // One host is dragged from the palette, and the other one is added by a double click. The keyboard is used only to
    // type texts.
    let (left, top, width, height) = me.place("//*[contains(@class, 'ground')]").await;
    let palette = me
        .middle("//button[starts-with(@aria-label, 'Add ssh:')]")
        .await;
    me.drag(palette, (left + width / 2, top + height / 2));
    me.focused("//form//input[@name='name']").await;
    me.tap("//form//input[@name='target']").await;
    me.type_in("//form//input[@name='target']", "me@gate.example.com")
        .await;
    me.tap("//form//button[normalize-space()='Add']").await;
    me.sees(&host("gate")).await;
    let ground = (left + 40, top + height - 90);
    me.click_twice(ground);
    me.tap("//*[@role='menuitem' and normalize-space()='podman']")
        .await;
    me.tap("//form//input[@name='target']").await;
    me.type_in("//form//input[@name='target']", "web").await;
    me.tap("//form//button[normalize-space()='Add']").await;
    me.sees(&host("web")).await;

    // A text that was typed in the picture is applied when the person presses the mouse button elsewhere.
    me.tap("//button[@aria-label='Publish a port of web']")
        .await;
    me.type_in(&field("Port of web"), "8080:80").await;
    me.tap("//main//h1").await;
    me.sees(&socket("web", 8080)).await;
    let handle = "//button[starts-with(@aria-label, 'Route through web')]";
    let (x, y) = me.middle(handle).await;
    me.drag((x, y), (x + 90, y + 20));
    me.type_in(&field("Add a destination"), "*.internal").await;
    me.tap("//main//h1").await;
    let through = |host: &str| {
        format!(
            "//*[@data-cloud='0' and starts-with(@aria-label, 'Route 1 through {host} to *.internal')]"
        )
    };
    me.sees(&through("web")).await;

    // If a cloud is dropped on another host, its route leads through that host. If a port is dragged away, it is
    // removed.
    let head = format!("{}//*[contains(@class, 'head')]", cloud(1));
    let (from, to) = (me.middle(&head).await, me.middle(&host("gate")).await);
    me.drag(from, to);
    me.sees(&through("gate")).await;
    let (x, y) = me.middle(&socket("web", 8080)).await;
    me.drag((x, y), (x, y - 200));
    me.sees(&format!("//main[not(.{})]", socket("web", 8080)))
        .await;

    // A button undoes both changes, and another button saves the file.
    me.tap(UNDO).await;
    me.sees(&socket("web", 8080)).await;
    me.tap(UNDO).await;
    me.sees(&through("web")).await;
    me.tap("//button[normalize-space()='Save' and not(@disabled)]")
        .await;
    let saved = me.saved(&path, &manifest);
    let added = saved.strip_prefix(&*manifest);
    assert_eq!(
        added.expect("the lines before have changed"),
        "  gate:\n    vip: \"127.0.86.100\"\n    ssh: \"me@gate.example.com\"\n  web:\n    vip: \"127.0.86.101\"\n    podman: web\n    ports: [\"8080:127.0.0.1:80\"]\nroutes:\n  - via: web\n    to: [\"*.internal\"]\n"
    );
    me.app.end().await;
}
