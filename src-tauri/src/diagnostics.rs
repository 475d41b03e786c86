//! A report for somebody who helps the person with a problem. It is a text, and the person can read it before it is
//! saved. Commands and their output may contain secrets, so values that look like secrets are left out.

use std::fmt::Write as _;

use norouter::redact;

use crate::{
    checks,
    desk::Desk,
    logbook,
    view::{App, CheckState, Phase, Platform, Shown, Theme},
};

/// How many of the last log lines of the network are included.
const LINES: usize = 300;

/// The report.
pub(crate) async fn text(desk: &Desk) -> String {
    let mut text = about(&desk.app());
    text += "\n== Programs\n";
    for check in checks::all().await {
        let state = match check.state {
            CheckState::Ok => "found",
            CheckState::Missing => "missing",
            CheckState::Unknown => "unclear",
        };
        let _ = writeln!(text, "{}: {state}, {}", check.id, check.detail);
    }
    if let Some(network) = desk.network() {
        text += "\n== Hosts\n";
        for host in &network.snapshot.hosts {
            let reason = host.reason.as_deref();
            let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
            let word = host.state.word();
            let _ = writeln!(text, "{} at {}: {word}{reason}", host.name, host.vip);
            for trouble in &host.troubles {
                let _ = writeln!(text, "  {trouble}");
            }
            for note in &host.notes {
                let _ = writeln!(text, "  note: {note}");
            }
        }
    }
    if let Ok(log) = desk.logs(None, LINES).await {
        text += "\n== Log of the network\n";
        if let Some(place) = desk.network_log() {
            let _ = writeln!(text, "All of it: {}", place.display());
        }
        for line in &log.lines {
            let _ = writeln!(
                text,
                "{} {}",
                logbook::moment(line.time_ms),
                line.event.line()
            );
        }
    }
    let data = &desk.folders().data;
    let place = logbook::place(data);
    let _ = writeln!(text, "\n== Log of the app\nAll of it: {}", place.display());
    text += &logbook::tail(data);
    if let Ok(manifest) = desk
        .manifest()
        .and_then(|path| crate::manifest::read(&path))
    {
        let _ = write!(text, "\n== Manifest\n{}", manifest.text);
    }
    redact::redacted(&text)
}

/// Describes the app, its settings, and the network that it shows.
fn about(app: &App) -> String {
    let system = match Platform::THIS {
        Platform::Linux => "Linux",
        Platform::Macos => "macOS",
        Platform::Windows => "Windows",
    };
    let theme = match app.settings.theme {
        Theme::System => "system",
        Theme::Light => "light",
        Theme::Dark => "dark",
    };
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let yes = |is: bool| if is { "yes" } else { "no" };
    let settings = &app.settings;
    let mut lines = vec![
        format!(
            "NoRouter {} on {system} ({})",
            app.version,
            std::env::consts::ARCH
        ),
        String::new(),
        format!("Tray icon: {}", yes(app.tray)),
        format!("Appearance: {theme}"),
        format!("Starts at login: {}", yes(settings.start_at_login)),
        format!(
            "Notifies when a host goes down: {}",
            yes(settings.notify_lost)
        ),
        format!(
            "Notifies when a host needs input: {}",
            yes(settings.notify_needs_you)
        ),
        format!(
            "Opens the last manifest at its start: {}",
            yes(settings.open_last)
        ),
        format!("Manifest: {}", or_none(&app.manifest)),
        format!(
            "Network: {}",
            app.network
                .as_ref()
                .map_or_else(|| "none".to_owned(), shown)
        ),
    ];
    if !app.running.is_empty() {
        lines.push(format!(
            "Other running networks: {}",
            app.running.join(", ")
        ));
    }
    if let Some(failure) = &app.failure {
        lines.push(format!("Failure: {}\n{}", failure.title, failure.report));
    }
    lines.join("\n") + "\n"
}

fn shown(shown: &Shown) -> String {
    let phase = match shown.phase {
        Phase::Starting => "starting",
        Phase::Running => "running",
        Phase::Ending => "stopping",
    };
    let by = if shown.hosted {
        "in this app"
    } else {
        "in another program"
    };
    format!("{}, {phase} {by}", shown.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        testing::{Folder, desk},
        view::Failure,
    };

    #[test]
    fn the_report_is_in_words() {
        let folder = Folder::new("about");
        let app = App {
            network: Some(Shown {
                name: "office".to_owned(),
                manifest: None,
                hosted: true,
                phase: Phase::Running,
                jumps: std::collections::BTreeMap::new(),
                log: None,
            }),
            failure: Some(Failure {
                title: "Could not open a.yaml".to_owned(),
                report: "why".to_owned(),
                manifest: None,
            }),
            ..desk(&folder).app()
        };
        let text = about(&app);
        assert!(
            text.contains("\nNetwork: office, running in this app\n"),
            "{text}"
        );
        assert!(
            text.ends_with("\nFailure: Could not open a.yaml\nwhy\n"),
            "{text}"
        );
        for debug in ["Some(", "None", "{", "true", "false"] {
            assert!(!text.contains(debug), "{debug} in {text}");
        }
    }
}
