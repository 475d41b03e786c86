//! The programs that start a user's services: systemd, launchd, and the Windows Task Scheduler. All three are compiled
//! on every platform, so that each is tested everywhere.

use std::path::{Path, PathBuf};

use directories::BaseDirs;

/// The service to install: a network, and the program that runs it.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) name: String,
    /// The path of this program.
    pub(super) program: PathBuf,
    pub(super) manifest: PathBuf,
    /// The environment variables that the manifest's commands need, `PATH` above all.
    pub(super) variables: Vec<(String, String)>,
}

/// A service that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installed {
    pub(super) name: String,
    /// The manifest that the service runs, if it can be found out.
    pub(super) manifest: Option<PathBuf>,
}

/// The program that starts services on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Init {
    Systemd,
    Launchd,
    Scheduler,
}

impl Init {
    pub(super) const fn of_this_machine() -> Self {
        if cfg!(target_os = "macos") {
            Self::Launchd
        } else if cfg!(windows) {
            Self::Scheduler
        } else {
            Self::Systemd
        }
    }

    /// The file that describes the service; `None` if the install command contains everything.
    pub(super) fn file(self, folders: &BaseDirs, name: &str) -> Option<PathBuf> {
        match self {
            Self::Systemd => {
                let folder = folders.config_dir().join("systemd/user");
                Some(folder.join(format!("{name}.service")))
            }
            Self::Launchd => {
                let folder = folders.home_dir().join("Library/LaunchAgents");
                Some(folder.join(format!("{}.plist", label(name))))
            }
            Self::Scheduler => None,
        }
    }

    /// The folder of the files that describe services; `None` on systems that do not keep them in files.
    pub(super) fn folder(self, folders: &BaseDirs) -> Option<PathBuf> {
        Some(self.file(folders, "")?.parent()?.to_owned())
    }

    /// The service that a file in this folder describes. `None` if this program has not written the file.
    pub(super) fn described(self, file_name: &str, text: &str) -> Option<Installed> {
        let (name, manifest) = match self {
            Self::Systemd => {
                let name = file_name.strip_suffix(".service")?;
                let mut lines = text.lines();
                let manifest = lines.find_map(|line| line.strip_prefix(DESCRIPTION))?;
                (name, Some(manifest.replace("%%", "%")))
            }
            Self::Launchd => {
                let name = file_name.strip_prefix(LABEL)?.strip_suffix(".plist")?;
                let behind = text.split_once("<string>up</string><string>");
                let manifest = behind.and_then(|(_, rest)| rest.split_once("</string>"));
                let manifest = manifest.map(|(manifest, _)| {
                    let plain = manifest.replace("&lt;", "<").replace("&gt;", ">");
                    plain.replace("&amp;", "&")
                });
                (name, manifest)
            }
            Self::Scheduler => return None,
        };
        Some(Installed {
            name: name.to_owned(),
            manifest: manifest.map(PathBuf::from),
        })
    }

    /// The command that lists all services; empty on systems that keep the services in files.
    pub(super) fn asks_all(self) -> Vec<String> {
        match self {
            Self::Systemd | Self::Launchd => Vec::new(),
            Self::Scheduler => words(&["schtasks", "/Query", "/FO", "CSV", "/NH"]),
        }
    }

    /// The services in the output of the command of [`Init::asks_all`].
    pub(super) fn listed(output: &str) -> Vec<Installed> {
        let names = output
            .lines()
            .filter_map(|line| line.strip_prefix("\"\\NoRouter\\")?.split('"').next());
        let mut names: Vec<_> = names.collect();
        // The output has one line for each trigger of a task.
        names.dedup();
        let names = names.into_iter().map(|name| Installed {
            name: name.to_owned(),
            manifest: None,
        });
        names.collect()
    }

    /// The content of the file that describes the service; empty if there is no such file.
    pub(super) fn text(self, folders: &BaseDirs, service: &Service) -> String {
        match self {
            Self::Systemd => systemd_unit(service),
            Self::Launchd => launchd_agent(service, &self.log(folders, &service.name)),
            Self::Scheduler => String::new(),
        }
    }

    /// Where people find the log: a command or a path.
    pub(super) fn log(self, folders: &BaseDirs, name: &str) -> String {
        match self {
            Self::Systemd => format!("journalctl --user -u {name}"),
            Self::Launchd | Self::Scheduler => {
                let folder = self.log_folder(folders).unwrap_or_default();
                folder.join(format!("{name}.log")).display().to_string()
            }
        }
    }

    /// A further note for people about services of this kind.
    pub(super) const fn note(self) -> Option<&'static str> {
        match self {
            Self::Systemd => Some(
                "it ends when you log out everywhere, unless \"loginctl enable-linger\" has been run once",
            ),
            Self::Launchd | Self::Scheduler => None,
        }
    }

    /// The folder of the log; `None` if the log is not a file.
    pub(super) fn log_folder(self, folders: &BaseDirs) -> Option<PathBuf> {
        match self {
            Self::Systemd => None,
            Self::Launchd => Some(folders.home_dir().join("Library/Logs/norouter")),
            Self::Scheduler => Some(folders.data_local_dir().join("norouter").join("logs")),
        }
    }

    /// The commands that start the service now, and that make it start at every login.
    pub(super) fn install(self, folders: &BaseDirs, service: &Service) -> Vec<Vec<String>> {
        let name = &service.name;
        match self {
            Self::Systemd => vec![
                words(&["systemctl", "--user", "daemon-reload"]),
                words(&["systemctl", "--user", "enable", name]),
                // A service that already runs has to be restarted with the new file.
                words(&["systemctl", "--user", "restart", name]),
            ],
            Self::Launchd => {
                let file = self.file(folders, name).unwrap_or_default();
                vec![words(&[
                    "launchctl",
                    "load",
                    "-w",
                    &file.display().to_string(),
                ])]
            }
            Self::Scheduler => {
                // `conhost.exe --headless` runs a console program without a window. `cmd.exe` writes the output to the
                // log.
                let run = format!(
                    "conhost.exe --headless cmd.exe /c \"\"{}\" up \"{}\" > \"{}\" 2>&1\"",
                    service.program.display(),
                    service.manifest.display(),
                    self.log(folders, name),
                );
                let task = task(name);
                vec![
                    words(&[
                        "schtasks", "/Create", "/F", "/SC", "ONLOGON", "/RL", "LIMITED", "/TN",
                        &task, "/TR", &run,
                    ]),
                    words(&["schtasks", "/Run", "/TN", &task]),
                ]
            }
        }
    }

    /// The commands that stop the service, and prevent later starts.
    pub(super) fn stop(self, folders: &BaseDirs, name: &str) -> Vec<Vec<String>> {
        match self {
            Self::Systemd => vec![words(&["systemctl", "--user", "disable", "--now", name])],
            Self::Launchd => {
                let file = self.file(folders, name).unwrap_or_default();
                vec![words(&[
                    "launchctl",
                    "unload",
                    "-w",
                    &file.display().to_string(),
                ])]
            }
            Self::Scheduler => {
                let task = task(name);
                vec![
                    words(&["schtasks", "/End", "/TN", &task]),
                    words(&["schtasks", "/Delete", "/F", "/TN", &task]),
                ]
            }
        }
    }

    /// The commands to run after the file that describes the service was removed.
    pub(super) fn after_removal(self) -> Vec<Vec<String>> {
        match self {
            Self::Systemd => vec![words(&["systemctl", "--user", "daemon-reload"])],
            Self::Launchd | Self::Scheduler => Vec::new(),
        }
    }

    /// A command that succeeds if the service runs. The one for the Windows Task Scheduler only checks that the service
    /// is installed.
    pub(super) fn asks_running(self, name: &str) -> Vec<String> {
        match self {
            Self::Systemd => words(&["systemctl", "--user", "is-active", "--quiet", name]),
            Self::Launchd => words(&["launchctl", "list", &label(name)]),
            Self::Scheduler => self.asks_installed(name),
        }
    }

    /// A command that succeeds if the service is installed. It is empty on systems where the file that describes the
    /// service exists exactly while the service is installed.
    pub(super) fn asks_installed(self, name: &str) -> Vec<String> {
        match self {
            Self::Systemd | Self::Launchd => Vec::new(),
            Self::Scheduler => words(&["schtasks", "/Query", "/TN", &task(name)]),
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The beginning of the names of services in launchd.
const LABEL: &str = "io.norouter.";

/// How the line that names the manifest begins in a systemd unit.
const DESCRIPTION: &str = "Description=NoRouter: ";

/// The name of the service in launchd.
fn label(name: &str) -> String {
    format!("{LABEL}{name}")
}

/// The name of the task in the Windows Task Scheduler.
fn task(name: &str) -> String {
    format!("NoRouter\\{name}")
}

/// A systemd unit (systemd.service(5)).
fn systemd_unit(service: &Service) -> String {
    format!(
        "[Unit]\n\
         {DESCRIPTION}{manifest}\n\
         Documentation=https://github.com/norouter/norouter\n\
         \n\
         [Service]\n\
         ExecStart={program} up {file}\n\
         {variables}\
         Restart=on-failure\n\
         RestartSec=5\n\
         # A manifest that cannot be run does not get better by trying again.\n\
         RestartPreventExitStatus=2 4 6\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n",
        manifest = escaped_specifiers(&service.manifest.display().to_string()),
        program = systemd_word(&service.program),
        file = systemd_word(&service.manifest),
        variables = (service.variables.iter())
            .map(|(name, value)| {
                format!(
                    "Environment={}\n",
                    systemd_quoted(&format!("{name}={value}"))
                )
            })
            .collect::<Vec<_>>()
            .concat(),
    )
}

/// Quotes a word of a command line. `$` is doubled, because it would begin a variable.
fn systemd_word(path: &Path) -> String {
    systemd_quoted(&path.display().to_string()).replace('$', "$$")
}

/// Quotes a text (systemd.syntax(7)).
fn systemd_quoted(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{}\"", escaped_specifiers(&text))
}

fn escaped_specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

/// A launchd property list (launchd.plist(5)).
fn launchd_agent(service: &Service, log: &str) -> String {
    let text = |text: &str| {
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        format!("<string>{text}</string>")
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n\
         \t<key>Label</key>{label}\n\
         \t<key>ProgramArguments</key>\n\t<array>{program}{up}{manifest}</array>\n\
         \t<key>EnvironmentVariables</key>\n\t<dict>{variables}</dict>\n\
         \t<key>RunAtLoad</key><true/>\n\
         \t<key>KeepAlive</key>\n\t<dict><key>SuccessfulExit</key><false/></dict>\n\
         \t<key>StandardOutPath</key>{log}\n\
         \t<key>StandardErrorPath</key>{log}\n\
         </dict>\n</plist>\n",
        label = text(&label(&service.name)),
        program = text(&service.program.display().to_string()),
        up = text("up"),
        manifest = text(&service.manifest.display().to_string()),
        variables = (service.variables.iter())
            .map(|(name, value)| format!("<key>{name}</key>{}", text(value)))
            .collect::<Vec<_>>()
            .concat(),
        log = text(log),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Service {
        Service {
            name: "lab".to_owned(),
            program: PathBuf::from("/opt/no router/bin/norouter"),
            manifest: PathBuf::from("/home/me/100% <mine> & \"yours\" $x.yaml"),
            variables: [("PATH", "/usr/bin:/opt/a b"), ("KUBECONFIG", "/k&c")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        }
    }

    #[test]
    fn a_unit_says_every_path_as_it_is() {
        let unit = systemd_unit(&service());
        let lines: Vec<&str> = unit.lines().collect();
        assert!(lines.contains(
            &r#"ExecStart="/opt/no router/bin/norouter" up "/home/me/100%% <mine> & \"yours\" $$x.yaml""#
        ));
        assert!(lines.contains(&r#"Environment="PATH=/usr/bin:/opt/a b""#));
        assert!(lines.contains(&r#"Environment="KUBECONFIG=/k&c""#));
    }

    #[test]
    fn a_launch_agent_is_xml_whatever_the_paths_are() {
        let list = launchd_agent(&service(), "/log");
        assert!(
            list.contains("<string>/home/me/100% &lt;mine&gt; &amp; \"yours\" $x.yaml</string>")
        );
        assert!(list.contains("<key>Label</key><string>io.norouter.lab</string>"));
        assert!(list.contains("<key>KUBECONFIG</key><string>/k&amp;c</string>"));
    }

    #[test]
    fn a_service_is_known_by_the_file_that_describes_it() {
        let folders = BaseDirs::new().unwrap();
        let service = service();
        for init in [Init::Systemd, Init::Launchd] {
            let file = init.file(&folders, "lab").unwrap();
            assert_eq!(file.parent(), init.folder(&folders).as_deref());
            let name = file.file_name().unwrap().to_str().unwrap();
            let installed = Installed {
                name: "lab".to_owned(),
                manifest: Some(service.manifest.clone()),
            };
            let text = init.text(&folders, &service);
            assert_eq!(init.described(name, &text), Some(installed), "{init:?}");
        }
        let other = "[Unit]\nDescription=Backup\n";
        assert_eq!(Init::Systemd.described("backup.service", other), None);
        let tasks = "\"\\NoRouter\\lab\",\"N/A\",\"Ready\"\r\n\"\\NoRouter\\lab\",\"N/A\",\"Ready\"\r\n\"\\Other\",\"N/A\",\"Ready\"\r\n";
        let names = Init::listed(tasks).into_iter().map(|it| it.name);
        assert_eq!(names.collect::<Vec<_>>(), ["lab"]);
    }

    #[test]
    fn every_way_can_be_undone() {
        let folders = BaseDirs::new().unwrap();
        for init in [Init::Systemd, Init::Launchd, Init::Scheduler] {
            let named = |commands: Vec<Vec<String>>| {
                commands.iter().flatten().any(|word| word.contains("lab"))
            };
            assert!(named(init.install(&folders, &service())), "{init:?}");
            assert!(named(init.stop(&folders, "lab")), "{init:?}");
            assert!(!init.log(&folders, "lab").is_empty(), "{init:?}");
        }
    }
}
