//! Starting with the person's session on Linux: a file in the folder that desktops look into.

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use norouter::driver::files;

/// The file in the folder for configuration.
const FILE: &str = "autostart/NoRouter.desktop";

/// Has this program started with this word whenever the person logs in, or not.
pub(crate) fn set(config: &Path, word: &str, on: bool) -> Result<(), String> {
    let file = config.join(FILE);
    if !on {
        return match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(format!("cannot remove {}: {error}", file.display()))
            }
            _ => Ok(()),
        };
    }
    let program = program()?;
    let text = entry(&program, word).ok_or("the path of this program is not text")?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    files::replace(&file, text.as_bytes(), files::PRIVATE)
}

/// What is to be started: an `AppImage` is somewhere else every time, and names the file that stays.
fn program() -> Result<PathBuf, String> {
    match env::var_os("APPIMAGE") {
        Some(image) => Ok(image.into()),
        None => {
            env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))
        }
    }
}

/// The file, as the Desktop Entry Specification 1.5 has it; none for a path that is not text.
fn entry(program: &Path, word: &str) -> Option<String> {
    let mut quoted = String::new();
    for letter in program.to_str()?.chars() {
        match letter {
            '"' | '`' | '$' => quoted.extend(['\\', '\\', letter]),
            // It is escaped once in quotes, and again as all text of the file is.
            '\\' => quoted.push_str(r"\\\\"),
            '%' => quoted.push_str("%%"),
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
    fn any_path_of_the_program_is_one_word_of_the_command() {
        for (path, expected) in [
            (
                "/usr/bin/norouter-app",
                r#"Exec="/usr/bin/norouter-app" --hidden"#,
            ),
            ("/opt/my apps/n", r#"Exec="/opt/my apps/n" --hidden"#),
            (
                r#"/a"b$c`d\e%f"#,
                r#"Exec="/a\\"b\\$c\\`d\\\\e%%f" --hidden"#,
            ),
        ] {
            let text = entry(Path::new(path), "--hidden").unwrap();
            assert_eq!(text.lines().nth(3), Some(expected));
        }
        assert_eq!(entry(Path::new("/a\nExec=b"), ""), None);
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
