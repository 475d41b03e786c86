//! Starts the app at login on Linux, by a file in the folder that desktops read when a person logs in.

use std::{fs, io::ErrorKind, path::Path};

use norouter::driver::system::files;
use tauri::utils::platform;

/// The path of the file, relative to the folder for configuration.
const FILE: &str = "autostart/NoRouter.desktop";

/// Sets whether this program is started with the argument `word` when the person logs in.
pub(crate) fn set(config: &Path, word: &str, on: bool) -> Result<(), String> {
    let file = config.join(FILE);
    if !on {
        return match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let file = file.display();
                Err(format!(
                    "cannot remove {file}: {error}; NoRouter starts at login until it is gone"
                ))
            }
            _ => Ok(()),
        };
    }
    // This path is the one by which the program was started. After an upgrade, it leads to the new version.
    let program = platform::current_exe().map_err(|error| {
        format!("this program cannot find itself: {error}; start it by its whole path")
    })?;
    let text = entry(&program, word).ok_or_else(|| {
        format!(
            "a desktop cannot start {}; move the program to a folder with a plainer name",
            program.display()
        )
    })?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    files::replace(&file, text.as_bytes(), files::PRIVATE)
}

/// The file's content, by the Desktop Entry Specification 1.5. `None` if the path cannot name a program in such a file
/// (because it contains `=` or control characters, or is not UTF-8), or if desktops interpret it in different ways (`%`
/// and `\`).
fn entry(program: &Path, word: &str) -> Option<String> {
    let mut quoted = String::new();
    for letter in program.to_str()?.chars() {
        match letter {
            // The letter is escaped twice: once for the quotes, and once because all values in the file are escaped.
            '"' | '`' | '$' => quoted.extend(['\\', '\\', letter]),
            '=' | '%' | '\\' => return None,
            letter if letter.is_control() => return None,
            letter => quoted.push(letter),
        }
    }
    Some(format!(
        "[Desktop Entry]\nType=Application\nName=NoRouter\nExec=\"{quoted}\" {word}\nTerminal=false\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn the_path_of_the_program_is_one_word_of_the_command() {
        for (path, expected) in [
            (
                "/usr/bin/norouter-app",
                r#"Exec="/usr/bin/norouter-app" --hidden"#,
            ),
            ("/opt/my apps/n", r#"Exec="/opt/my apps/n" --hidden"#),
            (r#"/a"b$c`d"#, r#"Exec="/a\\"b\\$c\\`d" --hidden"#),
        ] {
            let text = entry(Path::new(path), "--hidden").unwrap();
            assert_eq!(text.lines().nth(3), Some(expected));
        }
        for path in ["/a\nb", "/a=b", "/a%b", r"/a\b"] {
            assert_eq!(entry(Path::new(path), ""), None, "{path}");
        }
    }

    #[test]
    fn what_is_switched_off_twice_is_off() {
        let folder = Folder::new("login");
        let config = folder.path("config");
        set(&config, "--hidden", true).unwrap();
        assert!(config.join(FILE).is_file());
        set(&config, "--hidden", false).unwrap();
        set(&config, "--hidden", false).unwrap();
        assert!(!config.join(FILE).exists());
    }
}
