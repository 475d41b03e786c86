//! Tests of state folders: those that have our mark, and those that do not.

use std::net::Ipv4Addr;

use super::*;
use crate::driver::system::files::tests::Folder;

#[test]
fn variables_and_the_home_folder_are_replaced() {
    let known = |name: &str| match name {
        "HOME" | "USERPROFILE" => Some("/home/me".to_owned()),
        "A_1" => Some("x".to_owned()),
        _ => None,
    };
    for (text, path) in [
        ("~", "/home/me"),
        ("~/.norouter/agent", "/home/me/.norouter/agent"),
        ("/a/${A_1}y/$A_1", "/a/xy/x"),
        ("/a/~/b", "/a/~/b"),
        ("$HOME$A_1.d", "/home/mex.d"),
    ] {
        assert_eq!(expand(text, known).unwrap(), path);
    }
    for (text, reason) in [
        ("$UNSET/agent", "needs the variable UNSET, which is not set"),
        ("~you/agent", "is the home of another user"),
        ("/a/$/b", "without the name of a variable"),
        ("/a/${A_1", "without the name of a variable"),
    ] {
        let told = expand(text, known).unwrap_err();
        assert!(told.contains(reason), "{told}");
    }
}

#[test]
fn the_folder_is_made_and_filled() {
    let folder = Folder::new();
    let name = folder.path().join("state").join("agent");
    let state = StateDir::open(name.to_str().unwrap(), "web").unwrap();
    let web = Ipv4Addr::new(127, 0, 42, 101);
    let zone = Zone::new([("web", web), ("www.test", web)]);
    let other = folder.file("aliases", b"mail mail.example.com\n");
    state.write(&zone, Some(&other)).unwrap();
    // `HOSTALIASES` may name our own file, from an earlier agent.
    state.write(&zone, Some(&state.host_aliases())).unwrap();
    state
        .write(&zone, Some(&folder.path().join("absent")))
        .unwrap();
    state.write(&zone, Some(&other)).unwrap();
    let read = |name| fs::read_to_string(state.path().join(name)).unwrap();
    assert_eq!(read("hosts"), "127.0.42.101 web\n127.0.42.101 www.test\n");
    assert_eq!(
        read("hostaliases"),
        "web 127.0.42.101.nip.io\nmail mail.example.com\n"
    );
    assert!(read("README.md").contains("hostaliases"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(state.path()), 0o700);
        assert_eq!(mode(&state.host_aliases()), 0o600);
    }
}

#[test]
fn all_files_go_when_the_network_does() {
    let folder = Folder::new();
    let state = StateDir::open(folder.path().to_str().unwrap(), "web").unwrap();
    let variable = |value: &str| [("http_proxy".to_owned(), value.to_owned())];
    state.write_env(&variable("http://127.0.0.1:1")).unwrap();
    let path = folder.path().join("env");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "http_proxy=http://127.0.0.1:1\n"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert!(state.write_env(&variable("a\nb")).is_err());
    let mine = [(AGENT.to_owned(), "me".to_owned())];
    state.write(&Zone::default(), None).unwrap();
    state.write_env(&mine).unwrap();
    state.remove_files("another").unwrap();
    assert_eq!(
        read_env(folder.path().to_str().unwrap()),
        Ok(Some(mine.to_vec()))
    );
    state.remove_files("me").unwrap();
    state.remove_files("me").unwrap();
    assert!(folder.names().is_empty());
}

#[cfg(unix)]
#[test]
fn what_others_could_have_written_is_not_trusted() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let name = folder.path().to_str().unwrap();
    fs::write(
        folder.path().join("env"),
        "http_proxy=x\nLD_PRELOAD=/x\nid;id=1\n",
    )
    .unwrap();
    let known = vec![("http_proxy".to_owned(), "x".to_owned())];
    assert_eq!(read_env(name), Ok(Some(known)));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(read_env(name).unwrap_err().contains("chmod go-w"));
    let told = StateDir::open(name, "web").unwrap_err();
    assert!(told.contains("other users"), "{told}");
}

#[test]
fn a_folder_of_the_person_is_left_as_it_is() {
    let folder = Folder::new();
    let name = folder.path().to_str().unwrap();
    let theirs = [
        ("README.md", "# my work\n"),
        ("env", "A=1\n"),
        ("hosts", "mine\n"),
    ];
    for (name, text) in theirs {
        folder.file(name, text.as_bytes());
    }
    let told = StateDir::open(name, "web").unwrap_err();
    assert_eq!(look(name), Err(told.clone()));
    assert!(
        told.contains("has files that are not of NoRouter, like \"README.md\"; choose another"),
        "{told}"
    );
    for (name, text) in theirs {
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), text);
    }
    assert_eq!(folder.names(), ["README.md", "env", "hosts"]);
    // A folder with other files is used in two cases: an earlier version has written the files, or a person has put the
    // mark there.
    folder.file("README.md", README.as_bytes());
    assert!(look(name).is_ok());
    folder.file("README.md", b"mine");
    folder.file(MARK, b"NoRouter may write here\n");
    assert!(look(name).is_ok());
    folder.file(MARK, b"something else");
    assert!(look(name).is_err());
}

#[test]
fn upstreams_folder_is_used_and_a_folder_for_everything_is_not() {
    let folder = Folder::new();
    let usual = folder.path().join(".norouter").join("agent");
    fs::create_dir_all(&usual).unwrap();
    fs::write(usual.join("hostaliases"), "").unwrap();
    assert!(look(usual.to_str().unwrap()).is_ok());
    fs::write(usual.join("diary"), "").unwrap();
    assert!(look(usual.to_str().unwrap()).is_err());
    assert!(look(folder.path().to_str().unwrap()).is_err());
}

#[cfg(unix)]
#[test]
fn no_file_is_written_through_a_link() {
    let folder = Folder::new();
    let theirs = folder.file("theirs", b"kept");
    let name = folder.path().join("state");
    let state = StateDir::open(name.to_str().unwrap(), "web").unwrap();
    std::os::unix::fs::symlink(&theirs, state.path().join("hosts")).unwrap();
    let told = state.write(&Zone::default(), None).unwrap_err();
    assert!(
        told.ends_with("hosts is a link or a folder; remove it"),
        "{told}"
    );
    assert_eq!(fs::read(&theirs).unwrap(), b"kept");
}

#[test]
fn the_second_agent_has_a_folder_inside_which_goes_with_it() {
    let folder = Folder::new();
    let name = folder.path().to_str().unwrap();
    let mine = |agent: &str| [(AGENT.to_owned(), agent.to_owned())];
    let first = StateDir::open(name, "web").unwrap();
    assert_eq!(first.elsewhere(name), None);
    first.write_env(&mine("1")).unwrap();
    let second = StateDir::open(name, "web").unwrap();
    let third = StateDir::open(name, "web").unwrap();
    assert!(second.path().ends_with("web") && third.path().ends_with("web-2"));
    assert_eq!(second.elsewhere(DEFAULT), None, "nobody has asked for it");
    let told = second.elsewhere(name).unwrap();
    assert!(
        told.contains(&format!("are in {}; choose", second.path().display())),
        "{told}"
    );
    for (state, agent) in [(&second, "2"), (&third, "3")] {
        state.write(&Zone::default(), None).unwrap();
        state.write_env(&mine(agent)).unwrap();
    }
    assert_eq!(read_env(name), Ok(Some(mine("1").to_vec())));
    assert_eq!(inside(name), [second.path(), third.path()]);
    second.remove_files("2").unwrap();
    third.remove_files("3").unwrap();
    assert_eq!(folder.names(), [MARK, "env"]);
    first.remove_files("1").unwrap();
    drop(first);
    assert!(folder.names().is_empty());
    let state = StateDir::open(name, "web").unwrap();
    let hosts = StateDir::open(name, "hosts").unwrap();
    assert!(hosts.path().ends_with("host-hosts"));
    hosts.remove_files("4").unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    assert!(!state.is_there());
    drop(state);
    // After the first agent has ended, the next one gets the folder itself.
    assert_eq!(StateDir::open(name, "db").unwrap().elsewhere(name), None);
}

#[test]
fn the_variables_of_a_process_are_found_wherever_they_are() {
    let folder = Folder::new();
    let name = folder.path().to_str().unwrap();
    let [first, second] = ["71-a", "7-b"].map(|agent| {
        let state = StateDir::open(name, "web").unwrap();
        let mine = [(AGENT.to_owned(), agent.to_owned())];
        state.write_env(&mine).unwrap();
        state
    });
    assert_eq!(folder_of(name, 71).as_deref(), Some(first.path()));
    assert_eq!(folder_of(name, 7).as_deref(), Some(second.path()));
    assert_eq!(folder_of(name, 1), None);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = Folder::new();
    let file = folder.file("file", b"");
    let name = file.join("agent");
    let reason = StateDir::open(name.to_str().unwrap(), "web").unwrap_err();
    assert!(reason.starts_with("cannot make the folder "), "{reason}");
    assert!(
        reason.ends_with("choose another with stateDir.pathOnAgent"),
        "{reason}"
    );
}
