//! The TypeScript types of the desktop app's page, generated from the views. `UPDATE=1 cargo test` rewrites them.

use std::{env, fs, path::Path};

use ts_rs::{Config, ExportError, TS};

use crate::view;

/// Compares a type with its generated file, or rewrites the file. Returns the name of the type if the file is stale.
fn stale<T: TS + 'static>(config: &Config) -> Result<Option<String>, ExportError> {
    let name = T::ident(config);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/lib/types");
    let file = folder.join(format!("{name}.ts"));
    let text = without_null(&T::export_to_string(config)?);
    if env::var_os("UPDATE").is_some() {
        fs::create_dir_all(&folder)?;
        fs::write(&file, &text)?;
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    Ok((there.replace("\r\n", "\n") != text).then_some(name))
}

/// Removes ` | null` from the types of optional fields. The JSON omits empty fields, and never has null for them.
fn without_null(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("?: ") {
        Some((name, kind)) => format!("{name}?: {}\n", kind.replacen(" | null", "", 1)),
        None => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn the_page_has_the_types_of_what_it_is_shown() {
    let config = Config::new().with_large_int("number");
    macro_rules! stale {
        ($($kind:ident),* $(,)?) => {
            [$(stale::<view::$kind>(&config).unwrap()),*]
        };
    }
    let stale: Vec<String> = stale![
        Conflict,
        EditReach,
        EditRequest,
        Edited,
        EndedFlowView,
        EndedFlowsView,
        ErrorCode,
        Event,
        FieldForm,
        FieldOf,
        FieldOutline,
        FieldPlace,
        FieldSpec,
        FieldValue,
        FlowOutcome,
        FlowState,
        FlowView,
        FlowsView,
        HeldChange,
        Unapplied,
        HeldView,
        HostOutline,
        HostState,
        HostView,
        InstallStep,
        InstallView,
        ItemOutline,
        ListRef,
        LogLine,
        LogView,
        MatrixCell,
        MatrixReach,
        MatrixRow,
        OpenPortView,
        OpenPortsView,
        MatrixTarget,
        Merged,
        NetworkView,
        Origin,
        Outline,
        OwnerRef,
        PlanHost,
        PlanPolicy,
        PlanPort,
        PlanRoute,
        PlanRule,
        PlanView,
        PolicyOutline,
        PromptKind,
        PromptView,
        RefusalCode,
        RefusedTarget,
        Retry,
        Snapshot,
        TrafficView,
        TrialNews,
        TrialOutcome,
        TrialStep,
        TriedPort,
        TryOutcome,
        Trouble,
        TroubleCause,
        TroubleCode,
        Way,
        WhyOutcome,
        WhyStep,
        WhyView,
    ]
    .into_iter()
    .flatten()
    .collect();
    assert!(
        stale.is_empty(),
        "run `UPDATE=1 cargo test`: stale are {stale:?}"
    );
}
