//! `norouter service`: keeps a network running whenever its user is logged in.

mod init;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use directories::BaseDirs;
use serde_json::json;

use self::init::{Init, Installed, Service};
use super::{
    error::{Error, Exit},
    input::{Commands, Source},
    output,
    reach::wait_for,
    search,
};
use crate::{
    driver::{
        control::Client,
        manager::origin::breaks_lines,
        system::{describe, environment::KEPT},
    },
    text::{escape, quote},
};

/// Keep a network running whenever you are logged in
///
/// Installs a service of your own user: a systemd user unit on Linux, a launch agent on macOS, a scheduled task on
/// Windows. It does not need root. On Linux and macOS it keeps some of the present environment variables, so that the
/// commands of the manifest work as in this terminal; "norouter service install" shows which.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: ServiceCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ServiceCommand {
    /// Install the service and start it
    Install {
        /// The manifest
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        name: ServiceName,
        /// Only print the file that would be written and the commands that would be run
        #[arg(long)]
        dry_run: bool,
    },
    /// Stop the service and remove it
    Uninstall {
        /// The name of the service; by default "norouter". It must be given if the service "norouter" runs a manifest
        /// other than the one in this folder
        #[arg(long, value_parser = check_name)]
        name: Option<String>,
    },
    /// Show which services are installed, and whether they run
    Status {
        /// Only the service of this name
        #[arg(long, value_parser = check_name)]
        name: Option<String>,
        /// Write the result as JSON: a list, or with --name one service
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct ServiceName {
    /// The name of the service; needed only for more than one service
    #[arg(long, default_value = USUAL, value_parser = check_name)]
    name: String,
}

/// The default name of a service.
const USUAL: &str = "norouter";

/// Checks that a name can be used unchanged as a file name and as a label on all platforms.
fn check_name(name: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err("a name consists of up to 64 letters, digits, '-' and '_'".to_owned());
    }
    Ok(name.to_owned())
}

pub(super) fn run(args: &Args, commands: Commands) -> Result<Exit, Error> {
    let init = Init::of_this_machine();
    let folders = BaseDirs::new().ok_or_else(|| {
        Error::new(Exit::Failure, "this user has no home folder")
            .hint("set HOME; a service belongs to a user")
    })?;
    match &args.action {
        ServiceCommand::Install {
            file,
            name,
            dry_run,
        } => {
            let service = planned(file.as_deref(), &name.name, commands)?;
            install(init, &folders, &service, *dry_run)
        }
        ServiceCommand::Uninstall { name: Some(name) } => uninstall(init, &folders, name),
        ServiceCommand::Uninstall { name: None } => {
            let here = search::of_this_folder();
            is_of_this_folder(&installed(init, &folders), here.as_deref())?;
            uninstall(init, &folders, USUAL)
        }
        ServiceCommand::Status {
            name: Some(name),
            json,
        } => status(init, &folders, name, *json),
        ServiceCommand::Status { name: None, json } => status_of_all(init, &folders, *json),
    }
}

/// Checks a manifest, and makes the service that runs it.
fn planned(file: Option<&Path>, name: &str, commands: Commands) -> Result<Service, Error> {
    let source = Source::of(file)?;
    let manifest = source.path().ok_or_else(|| {
        Error::new(
            Exit::Usage,
            "a service cannot read its manifest from standard input or a pipe",
        )
        .hint("write it into a file, and name that")
    })?;
    let manifest = std::path::absolute(manifest)
        .map_err(|error| Error::new(Exit::Failure, describe(&error)))?;
    let loaded = source.load(commands)?;
    if loaded.plan.is_none() {
        output::talk(&loaded.report(true));
        let message = format!("{} cannot be run", loaded.file_name);
        return Err(Error::new(Exit::InvalidManifest, message));
    }
    let program = env::current_exe().map_err(|error| {
        let message = format!("cannot tell where this program is: {}", describe(&error));
        Error::new(Exit::Failure, message)
    })?;
    for (what, path) in [
        ("the manifest", manifest.as_path()),
        ("this program", program.as_path()),
    ] {
        can_be_written(what, path)?;
    }
    let mut variables = Vec::new();
    for name in KEPT {
        let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else {
            continue;
        };
        can_be_written(&format!("the variable {name}"), Path::new(&value))?;
        variables.push((name.to_owned(), value.to_string_lossy().into_owned()));
    }
    Ok(Service {
        name: name.to_owned(),
        program,
        manifest,
        variables,
    })
}

/// Fails if the manifest's network already runs outside the service, because the service could not start beside it. If
/// the installed service itself runs, nothing is refused: it will be restarted.
fn runs_nowhere_else(init: Init, service: &Service) -> Result<(), Error> {
    if succeeds(&init.asks_running(&service.name)) {
        return Ok(());
    }
    let manifest = fs::canonicalize(&service.manifest);
    let manifest = manifest.as_ref().unwrap_or(&service.manifest);
    let around = wait_for(async { Ok(Client::around().await) })?;
    for network in around.into_iter().filter_map(|(_, network)| network.ok()) {
        let theirs = network.manifest.as_ref().map(Path::new);
        if theirs == Some(manifest) {
            let (name, process) = (&network.network, network.pid);
            let message = format!(
                "this manifest runs already, as the network \"{name}\" of process {process}"
            );
            return Err(Error::new(Exit::Failure, message).hint(format!(
                "\"norouter down --network {name}\" ends it; then install the service"
            )));
        }
    }
    Ok(())
}

/// All services of this program and this user.
fn installed(init: Init, folders: &BaseDirs) -> Vec<Installed> {
    let Some(folder) = init.folder(folders) else {
        let output = process(&init.asks_all()).and_then(|mut process| process.output().ok());
        let output = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        return Init::listed(&output.unwrap_or_default());
    };
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let services = files.filter_map(|file| {
        let text = fs::read_to_string(file.path()).ok()?;
        init.described(&file.file_name().to_string_lossy(), &text)
    });
    let mut services: Vec<_> = services.collect();
    services.sort_by(|one, other| one.name.cmp(&other.name));
    services
}

/// Fails if the name already belongs to the service of another manifest, or if the manifest already has a service.
fn is_installed_once(service: &Service, installed: &[Installed]) -> Result<(), Error> {
    for other in installed {
        let Some(theirs) = &other.manifest else {
            continue;
        };
        let (same_name, same_file) = (other.name == service.name, *theirs == service.manifest);
        if same_name == same_file {
            continue;
        }
        let (name, theirs) = (&other.name, escape(&theirs.display().to_string()));
        let message = format!("the service {name} is installed already, for {theirs}");
        let hint = if same_name {
            "--name gives this one another name".to_owned()
        } else {
            format!("\"norouter service uninstall --name {name}\" removes it")
        };
        return Err(Error::new(Exit::Failure, message).hint(hint));
    }
    Ok(())
}

/// Fails if the file that describes the service could not contain this path unchanged and in one line.
fn can_be_written(what: &str, path: &Path) -> Result<(), Error> {
    match path.to_str() {
        Some(text) if !text.chars().any(breaks_lines) => Ok(()),
        _ => {
            let shown = quote(&path.to_string_lossy());
            let message = format!(
                "{what} cannot be named to a service: {shown} has a line break, a control character, or bytes that are not text"
            );
            Err(Error::new(Exit::Usage, message).hint("give it another name"))
        }
    }
}

fn install(
    init: Init,
    folders: &BaseDirs,
    service: &Service,
    dry_run: bool,
) -> Result<Exit, Error> {
    let file = init.file(folders, &service.name);
    let commands = init.install(folders, service);
    if dry_run {
        if let Some(file) = &file {
            output::data(&format!(
                "{}:\n{}\n",
                escape(&file.display().to_string()),
                init.text(folders, service)
            ))?;
        }
        for command in &commands {
            output::data(&format!("{}\n", escape(&command.join(" "))))?;
        }
        return Ok(Exit::Ok);
    }
    is_installed_once(service, &installed(init, folders))?;
    runs_nowhere_else(init, service)?;
    if let Some(file) = &file {
        let failed = |error: std::io::Error| {
            let message = format!("cannot write {}: {}", file.display(), describe(&error));
            Error::new(Exit::Failure, message)
        };
        for folder in file
            .parent()
            .into_iter()
            .chain(init.log_folder(folders).as_deref())
        {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(file, init.text(folders, service)).map_err(failed)?;
    }
    for command in &commands {
        perform(command).inspect_err(|_| {
            // A service that could not be started must not start unexpectedly at a later login.
            if let Some(file) = &file {
                let _ = fs::remove_file(file);
            }
        })?;
    }
    output::talk(&format!(
        "{} runs {} whenever you are logged in; its log: {}",
        service.name,
        escape(&service.manifest.display().to_string()),
        init.log(folders, &service.name)
    ));
    if file.is_some() {
        let kept = service.variables.iter().map(|(name, _)| name.as_str());
        let kept: Vec<_> = kept.collect();
        output::talk(&format!(
            "it keeps these variables of this terminal: {}; install it again when they change",
            kept.join(", ")
        ));
    }
    if let Some(note) = init.note() {
        output::talk(note);
    }
    Ok(Exit::Ok)
}

/// Fails if the service with the default name has the manifest of another folder, and the person may mean the manifest
/// of this folder.
fn is_of_this_folder(installed: &[Installed], here: Option<&Path>) -> Result<(), Error> {
    let usual = installed.iter().find(|service| service.name == USUAL);
    let theirs = usual.and_then(|service| service.manifest.as_ref());
    let (Some(theirs), Some(here)) = (theirs, here) else {
        return Ok(());
    };
    let is_here = |file: &Path| fs::canonicalize(file).is_ok_and(|file| file == here);
    if is_here(theirs) {
        return Ok(());
    }
    let own = installed
        .iter()
        .find(|service| service.manifest.as_deref().is_some_and(is_here));
    let name = own.map_or(USUAL, |service| &service.name);
    let message = format!(
        "the service {USUAL} runs {}, and not the manifest of this folder ({})",
        theirs.display(),
        here.display()
    );
    let whose = own.map_or("that one", |_| "the one of this folder");
    Err(Error::new(Exit::Usage, message).hint(format!(
        "to remove {whose}: norouter service uninstall --name {name}"
    )))
}

fn uninstall(init: Init, folders: &BaseDirs, name: &str) -> Result<Exit, Error> {
    let file = init.file(folders, name);
    if file.as_ref().is_some_and(|file| !file.exists()) {
        return Err(not_installed(name));
    }
    for command in init.stop(folders, name) {
        perform(&command)?;
    }
    if let Some(file) = &file {
        fs::remove_file(file).map_err(|error| {
            let message = format!("cannot remove {}: {}", file.display(), describe(&error));
            Error::new(Exit::Failure, message)
        })?;
    }
    for command in init.after_removal() {
        perform(&command)?;
    }
    output::talk(&format!("{name} is removed"));
    Ok(Exit::Ok)
}

fn status(init: Init, folders: &BaseDirs, name: &str, as_json: bool) -> Result<Exit, Error> {
    let installed = match init.file(folders, name) {
        Some(file) => file.exists(),
        None => succeeds(&init.asks_installed(name)),
    };
    let runs = installed && succeeds(&init.asks_running(name));
    let log = init.log(folders, name);
    if as_json {
        output::json(&json!({"name": name, "installed": installed, "running": runs, "log": log}))?;
    } else if installed {
        let state = if runs { "runs" } else { "does not run" };
        output::data(&format!(
            "{name} is installed and {state}; its log: {log}\n"
        ))?;
    }
    match (installed, runs) {
        (true, true) => Ok(Exit::Ok),
        (true, false) => Ok(Exit::NoManager),
        (false, _) if as_json => Ok(Exit::NoManager),
        (false, _) => Err(not_installed(name)),
    }
}

fn status_of_all(init: Init, folders: &BaseDirs, as_json: bool) -> Result<Exit, Error> {
    let installed = installed(init, folders);
    let mut all_run = true;
    let mut list = Vec::new();
    for Installed { name, manifest } in &installed {
        let runs = succeeds(&init.asks_running(name));
        all_run &= runs;
        let log = init.log(folders, name);
        let manifest = manifest.as_ref().map(|file| file.display().to_string());
        if as_json {
            list.push(json!({"name": name, "installed": true, "running": runs, "log": log, "manifest": manifest}));
            continue;
        }
        let state = if runs { "runs" } else { "does not run" };
        let of = manifest.map_or_else(String::new, |file| format!(" ({})", escape(&file)));
        output::data(&format!(
            "{name}{of} is installed and {state}; its log: {log}\n"
        ))?;
    }
    if as_json {
        output::json(&list.into())?;
    } else if installed.is_empty() {
        let message = "no service is installed";
        return Err(Error::new(Exit::NoManager, message).hint("norouter service install FILE"));
    }
    Ok(if all_run && !installed.is_empty() {
        Exit::Ok
    } else {
        Exit::NoManager
    })
}

fn not_installed(name: &str) -> Error {
    let message = format!("no service called {name} is installed");
    Error::new(Exit::NoManager, message).hint("norouter service install FILE")
}

/// Runs a command of the operating system; fails with its output.
fn perform(command: &[String]) -> Result<(), Error> {
    let line = command.join(" ");
    let failed = |what: String| {
        Error::new(Exit::Failure, format!("{line}: {what}"))
            .hint("\"norouter service install --dry-run\" shows everything that is written and run")
    };
    let Some(mut process) = process(command) else {
        return Ok(());
    };
    let output = process.output().map_err(|error| failed(describe(&error)))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(failed(said))
}

fn succeeds(command: &[String]) -> bool {
    let output = process(command).and_then(|mut process| process.output().ok());
    output.is_some_and(|output| output.status.success())
}

fn process(command: &[String]) -> Option<Command> {
    let (program, arguments) = command.split_first()?;
    let mut process = Command::new(program);
    process.args(arguments);
    Some(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_manifest_has_one_service_and_one_name_one_manifest() {
        let installed = [Installed {
            name: "lab".to_owned(),
            manifest: Some("/lab.yaml".into()),
        }];
        let refused = |name: &str, manifest: &str| {
            let service = Service {
                name: name.to_owned(),
                program: "/norouter".into(),
                manifest: manifest.into(),
                variables: Vec::new(),
            };
            is_installed_once(&service, &installed).is_err()
        };
        assert!(!refused("lab", "/lab.yaml"), "it is installed again");
        assert!(!refused("home", "/home.yaml"));
        assert!(refused("lab", "/home.yaml"));
        assert!(refused("home", "/lab.yaml"));
    }

    #[cfg(unix)]
    #[test]
    fn the_service_of_another_folder_is_removed_only_by_its_name() {
        let here = fs::canonicalize("/dev/null").unwrap();
        let of = |name: &str, manifest: &str| Installed {
            name: name.to_owned(),
            manifest: Some(manifest.into()),
        };
        let refused = |installed: &[Installed], here: Option<&Path>| {
            let error = is_of_this_folder(installed, here).err();
            error.map(Error::into_texts)
        };
        let (own, usual) = (of("lab", "/dev/null"), of(USUAL, "/office.yaml"));
        for fine in [&[][..], &[of(USUAL, "/dev/null")], &[of("lab", "/x")]] {
            assert_eq!(refused(fine, Some(&here)), None);
        }
        assert_eq!(refused(std::slice::from_ref(&usual), None), None);
        let (message, hint) = refused(std::slice::from_ref(&usual), Some(&here)).unwrap();
        assert_eq!(
            message,
            "the service norouter runs /office.yaml, and not the manifest of this folder (/dev/null)"
        );
        assert!(hint.starts_with("to remove that one: "), "{hint}");
        assert!(hint.ends_with("norouter service uninstall --name norouter"));
        let (_, hint) = refused(&[usual, own], Some(&here)).unwrap();
        assert!(hint.ends_with("the one of this folder: norouter service uninstall --name lab"));
    }

    #[test]
    fn a_name_is_a_file_name_and_a_label() {
        assert!(check_name("home-lab_2").is_ok());
        for bad in ["", "a/b", "../x", "a b", "a.b"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
