//! Tests of the real window with forty hosts. All of them are visible in the diagram, and their names are complete in
//! the list.

use super::{
    display::Display,
    page::button,
    rig::{Driven, Home},
};

const HOSTS: usize = 40;

/// The cards that are outside the diagram, or are drawn too small to be seen; null until all cards exist.
const OUTSIDE: &str = "const frame = document.querySelector('.diagram')?.getBoundingClientRect();
    const cards = [...document.querySelectorAll('.diagram [data-host]')];
    if (frame === undefined || cards.length !== arguments[0] || innerWidth !== arguments[1]) return null;
    return cards.filter((card) => {
        const box = card.getBoundingClientRect();
        const inside = box.left >= frame.left && box.top >= frame.top && box.right <= frame.right && box.bottom <= frame.bottom;
        return !inside || box.width < 12 || box.height < 12;
    }).map((card) => card.dataset.host);";

/// The names of hosts in the list that are cut off; null until all names exist.
const CUT: &str = "const names = [...document.querySelectorAll('tr[data-name] td.name a')];
    if (names.length !== arguments[0] || innerWidth !== arguments[1]) return null;
    return names.filter((name) => {
        const parts = [name, ...name.querySelectorAll('*'), name.closest('td')];
        return parts.some((part) => part.scrollWidth > part.clientWidth && part.clientWidth > 0);
    }).map((name) => name.innerText);";

#[tokio::test]
async fn forty_hosts_are_all_in_sight_with_their_whole_names() {
    let (display, home) = (Display::open(), Home::new());
    // A command that never becomes an agent, and ends with the app.
    let silent = home.file("silent.sh", "exec cat > /dev/null\n");
    let alone = "dns: {disable: true}, stateDir: {disable: true}";
    let mut hosts = format!("hosts:\n  laptop: {{vip: 127.0.81.1, {alone}}}\n");
    for number in 2..=HOSTS {
        hosts += &format!(
            "  prod-eu-de-frankfurt-web-{number}: {{vip: 127.0.81.{number}, cmd: [sh, \"{silent}\"], {alone}}}\n"
        );
    }
    let manifest = home.file(&format!("many-{}.yaml", std::process::id()), &hosts);
    let app = Driven::start(&home, &[&manifest]).await;
    app.click(&home, &button("Approve and start")).await;
    app.sees(&home, "//*[@data-host='laptop']").await;
    let window = display.window(&home, app.pid(), "NORMAL");
    for (width, height) in [(900, 600), (1180, 780)] {
        display.put(window, (0, 0, width, height));
        app.until_none(&home, OUTSIDE, HOSTS, width).await;
        // After the hosts have left the visible part, the button brings all of them back.
        app.click(&home, "//button[@aria-label='Zoom in']").await;
        app.click(&home, "//button[@aria-label='Fit to window']")
            .await;
        app.until_none(&home, OUTSIDE, HOSTS, width).await;
    }
    app.click(&home, &button("List")).await;
    app.until_none(&home, CUT, HOSTS, 1180).await;
    app.end().await;
}

impl Driven {
    /// Waits until a script finds no host that is wrong. The script gets the number of hosts and the width of the
    /// window.
    async fn until_none(&self, home: &Home, script: &str, hosts: usize, width: u16) {
        let script = format!(
            "const wrong = (() => {{ {} }})();
             window.wrong = wrong;
             return wrong?.length === 0 ? true : null;",
            script
                .replace("arguments[0]", &hosts.to_string())
                .replace("arguments[1]", &width.to_string())
        );
        self.until_found(home, &script, "hosts are cut or out of sight")
            .await;
    }
}
