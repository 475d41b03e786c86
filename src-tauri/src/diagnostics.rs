//! A report for somebody who helps the person with a problem. It is a text that the person reads before it is saved.
//! Commands and their output may contain secrets, so values that look like secrets are left out.

use std::fmt::Write as _;

use norouter::redact;

use crate::{checks, desk::Desk, logbook, view::Platform};

/// How many of the last log lines of the network are included.
const LINES: usize = 300;

/// The report.
pub(crate) async fn text(desk: &Desk) -> String {
    let app = desk.app();
    let mut text = format!(
        "NoRouter {} on {:?} ({})\n\n",
        app.version,
        Platform::THIS,
        std::env::consts::ARCH
    );
    let _ = writeln!(text, "tray: {}\nsettings: {:?}", app.tray, app.settings);
    let _ = writeln!(
        text,
        "manifest: {:?}\nnetwork: {:?}",
        app.manifest, app.network
    );
    if let Some(failure) = &app.failure {
        let _ = writeln!(text, "failure: {}\n{}", failure.title, failure.report);
    }
    text += "\n== Programs\n";
    for check in checks::all().await {
        let _ = writeln!(text, "{}: {:?}, {}", check.id, check.state, check.detail);
    }
    if let Some(network) = desk.network() {
        text += "\n== Hosts\n";
        for host in &network.snapshot.hosts {
            let reason = host.reason.as_deref().unwrap_or_default();
            let word = host.state.word();
            let _ = writeln!(text, "{} {} {word} {reason}", host.name, host.vip);
            for trouble in &host.troubles {
                let _ = writeln!(text, "  {:?}: {trouble}", trouble.code);
            }
        }
    }
    if let Ok(log) = desk.logs(None, LINES).await {
        text += "\n== Log of the network\n";
        for line in &log.lines {
            let (seq, time_ms) = (line.seq, line.time_ms);
            let _ = writeln!(text, "{seq} {time_ms} {}", line.event.line());
        }
    }
    text += "\n== Log of the app\n";
    text += &logbook::tail(&desk.folders().data);
    if let Ok(manifest) = desk
        .manifest()
        .and_then(|path| crate::manifest::read(&path))
    {
        let _ = write!(text, "\n== Manifest\n{}", manifest.text);
    }
    redact::redacted(&text)
}
