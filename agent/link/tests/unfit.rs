//! Tests of the ways in which a host that has only a shell fails to become a member. For each way, the tests check what
//! people read and what they are told to do.

use super::*;

/// The beginning of the shell's lines: the seed of the link, its time, and the number of the conversation.
const MARK: &str = "nr-0000000000000001-0-1";

const SUM: &str = "5f0c";

impl Story {
    /// A host whose shell was sent the first line.
    fn with_a_shell() -> Self {
        let mut story = Self::new();
        story.then(|link, _| link.start());
        let offers = [Offer {
            target: Target::new("linux", "x86_64"),
            sum: SUM.to_owned(),
        }];
        story.then(|link, now| link.handle_shell(now, offers.into()));
        story.text.clear();
        story
    }

    /// The shell says these lines.
    fn answers(&mut self, lines: &[&str]) -> &mut Self {
        for line in lines {
            self.says(format!("\n{MARK} {line}\n").as_bytes());
        }
        self
    }

    /// The shell was sent an agent of 100 kB, and has kept the first part of it.
    fn uploading(&mut self) -> &mut Self {
        self.answers(&["has dd  at /x", "system Linux x86_64", "end"]);
        let parcel = Parcel {
            plain: vec![7; 100_000].into(),
            packed: vec![8; 50_000].into(),
        };
        self.then(|link, now| link.handle_parcel(now, SUM, Ok(Arc::new(parcel))));
        self.answers(&["have 0", "kept"])
    }

    /// The shell has kept the whole agent, and was told to run it.
    fn verifying(&mut self) -> &mut Self {
        self.uploading().answers(&["kept"])
    }

    /// The command says this on its standard error, and ends.
    fn fails(&mut self, line: &str, status: i32) -> &mut Self {
        self.then(|link, now| link.handle_stderr(now, line.as_bytes()))
            .then(Link::handle_closed)
            .then(|link, now| link.handle_exit(now, Ending::Status(status)))
    }

    /// The command ends.
    fn is_over(&mut self, status: i32) -> &mut Self {
        self.fails("", status)
    }
}

/// A way to fail: its name, what happens, and parts of what people read and are told to do.
type Way = (&'static str, fn(&mut Story), &'static str, &'static str);

const WAYS: &[Way] = &[
    (
        "no sh in the container or pod",
        |it| {
            let line = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"sh\": executable \
                        file not found in $PATH: unknown";
            it.fails(line, 127);
        },
        "exec: \"sh\": executable file not found",
        "put norouter into its image",
    ),
    (
        "no folder can be written",
        |it| {
            let tried =
                "tried /home/ann/.cache/norouter cannot be made, ./.norouter cannot be made";
            it.answers(&["has dd gzip at ", tried, "system Linux x86_64", "end"])
                .is_over(0);
        },
        "no folder there in which a program can be written and run: /home/ann/.cache/norouter cannot be made, ./.norouter \
         cannot be made",
        "set XDG_RUNTIME_DIR for that user",
    ),
    (
        "every folder is mounted noexec",
        |it| {
            let tried = "tried /tmp/.norouter-0 does not let programs run";
            it.answers(&["has dd gzip at ", tried, "system Linux x86_64", "end"])
                .is_over(0);
        },
        "/tmp/.norouter-0 does not let programs run",
        "not mounted noexec",
    ),
    (
        "the disk is full",
        |it| {
            it.uploading().answers(&["full"]).fails(
                "head: error writing 'standard output': No space left on device",
                1,
            );
        },
        "could not be stored there in /x; it wrote \"head: error writing 'standard output': No space left on device\"",
        "whether its disk is full",
    ),
    (
        "the quota is used up",
        |it| {
            it.uploading().answers(&["full"]).fails(
                "head: error writing 'standard output': Disk quota exceeded",
                1,
            );
        },
        "Disk quota exceeded",
        "that user's quota is used up; the next try goes on where this one stopped",
    ),
    (
        "an unknown processor",
        |it| {
            it.answers(&["has dd gzip at /x", "system Linux mips64", "end"])
                .is_over(0);
        },
        "no agent for its system: linux-mips64",
        "build norouter there and write the command",
    ),
    (
        "another system",
        |it| {
            it.answers(&["has dd gzip at /x", "system FreeBSD amd64", "end"])
                .is_over(0);
        },
        "no agent for its system: freebsd-x86_64",
        "build norouter on that machine",
    ),
    (
        "a system that tells nothing",
        |it| {
            it.answers(&["has dd gzip at /x", "system ", "elf ", "end"])
                .is_over(0);
        },
        "does not tell which system and processor it has",
        "build norouter on that machine",
    ),
    (
        "the sum differs",
        |it| {
            it.verifying().answers(&["sum"]).is_over(1);
        },
        "was changed on its way there, and was not run",
        "a command that does not change bytes",
    ),
    (
        "chmod is refused",
        |it| {
            it.verifying().answers(&["full"]).fails(
                "chmod: changing permissions of '/x/5f0c': Operation not permitted",
                1,
            );
        },
        "could not be stored there in /x; it wrote \"chmod: changing permissions of '/x/5f0c': Operation not permitted\"",
        "",
    ),
    (
        "a restricted shell without sh",
        |it| {
            it.fails("rbash: line 1: sh: command not found", 127);
        },
        "rbash: line 1: sh: command not found",
        "link sh into a folder of its PATH",
    ),
    (
        "an account without a login",
        |it| {
            it.says(b"This account is currently not available.\n")
                .is_over(1);
        },
        "This account is currently not available",
        "use an account that may log in there",
    ),
    (
        "a login shell that prints something and exits",
        |it| {
            it.says(b"Hi ann! This server does not provide shell access.\n")
                .is_over(0);
        },
        "it wrote \"Hi ann! This server does not provide shell access.\"",
        "run it by hand: x norouter --version - it has to print",
    ),
    (
        "a start-up file that starts a shell of another kind",
        |it| {
            for _ in 0..60 {
                it.after(1);
            }
            it.is_over(0);
        },
        "its command runs, but no shell has answered",
        "start another shell, tmux or a question only in a terminal",
    ),
    (
        "a start-up file that asks something",
        |it| {
            it.says(b"Which project? ");
            for _ in 0..60 {
                it.after(1);
            }
            it.is_over(0);
        },
        "no shell has answered; it wrote \"Which project?\"",
        "run it by hand",
    ),
    (
        "a start-up file that starts tmux",
        |it| {
            it.fails("open terminal failed: not a terminal", 1);
        },
        "open terminal failed: not a terminal",
        "starts tmux or screen: let it do so only in a terminal",
    ),
    (
        "a start-up file that prints without end",
        |it| {
            let noise = vec![b'x'; 600 << 10];
            it.says(&noise).says(&noise).is_over(0);
        },
        "it wrote more than 1 MB before its shell answered",
        "remove the command that prints this from the start-up files",
    ),
    (
        "nothing that takes bytes",
        |it| {
            it.answers(&["has   at /x", "system Linux x86_64", "end"])
                .is_over(0);
        },
        "none of head, dd and printf",
        "install one of them there",
    ),
    (
        "a terminal that echoes",
        |it| {
            it.says(b"if [ \"$l\" != 1 ]; then l=1; n=nr-$l; say() {")
                .is_over(0);
        },
        "sends back what it is sent",
        "remove the option that makes a terminal",
    ),
    (
        "the connection is cut during the upload",
        |it| {
            it.uploading()
                .fails("client_loop: send disconnect: Broken pipe", 255);
        },
        "the connection ended when 65 kB of the 100 kB of the agent were there; it wrote \"client_loop: send disconnect: \
         Broken pipe\"",
        "the next try goes on where this one stopped",
    ),
    (
        "seccomp or a limit ends the agent at once",
        |it| {
            it.verifying()
                .answers(&["unfit 159"])
                .fails("Bad system call (core dumped)", 1);
        },
        "the agent for linux-x86_64 does not run there: signal 31 ended it; it wrote \"Bad system call (core dumped)\"",
        "norouter start web1",
    ),
    (
        "SELinux does not let the agent run",
        |it| {
            it.verifying()
                .answers(&["unfit 126"])
                .fails("sh: 1: /x/5f0c: Permission denied", 1);
        },
        "does not run there: its status is 126; it wrote \"sh: 1: /x/5f0c: Permission denied\"",
        "such as SELinux, seccomp",
    ),
    (
        "the agent is killed after its start",
        |it| {
            it.answers(&["run /x/5f0c"]).is_over(137);
        },
        "exited with status 137, usually: signal 9 ended it on that host",
        "run it by hand",
    ),
    (
        "the agent is another version",
        |it| {
            it.answers(&["run /x/5f0c"]).says(&control(
                r#"{"type":"result","body":{"request_id":1,"op":"configure",
                    "data":{"features":["loopback"],"version":"0.1.0"}}}"#,
            ));
        },
        "its agent (version 0.1.0) cannot do \"tcp\"",
        "install a newer one",
    ),
    (
        "the agent cannot be read on the manager's machine",
        |it| {
            it.answers(&["has dd gzip at /x", "system Linux x86_64", "end"]);
            let why = Err("/agents/x.gz: permission denied".to_owned());
            it.then(|link, now| link.handle_parcel(now, SUM, why))
                .is_over(0);
        },
        "the agent for it cannot be read: /agents/x.gz: permission denied",
        "install norouter again on this machine",
    ),
    (
        "the password has expired",
        |it| {
            it.fails("Password change required but no TTY available.", 1);
        },
        "Password change required but no TTY available",
        "change the password that has expired; then: norouter start web1",
    ),
    (
        "sudo asks",
        |it| {
            it.fails(
                "sudo: a terminal is required to read the password; either use the -S option to read from standard input",
                1,
            );
        },
        "sudo: a terminal is required",
        "NOPASSWD in sudoers",
    ),
    (
        "the container does not run",
        |it| {
            it.fails(
                "Error response from daemon: container 5f0c is not running",
                1,
            );
        },
        "is not running",
        "start the container",
    ),
    (
        "the pod is gone",
        |it| {
            it.fails(
                "Error from server (NotFound): pods \"api-5f0c\" not found",
                1,
            );
        },
        "pods \"api-5f0c\" not found",
        "wait until the pod runs",
    ),
    (
        "the key of the host has changed",
        |it| {
            let line = "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @";
            it.fails(line, 255);
        },
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "somebody may be in between",
    ),
    (
        "a shell that answers what nobody has asked",
        |it| {
            it.answers(&["kept"]).is_over(0);
        },
        "it gives answers that no shell gives",
        "run it by hand to see what answers there",
    ),
];

#[test]
fn every_way_to_fail_has_a_sentence_and_a_remedy() {
    for (name, happens, what, remedy) in WAYS {
        let mut story = Story::with_a_shell();
        happens(&mut story);
        let why = match story.link.state() {
            State::Ending { why, .. } | State::Waiting { why, .. } | State::Refused { why } => why,
            other @ (State::Idle
            | State::Spawning
            | State::Configuring { .. }
            | State::Ready
            | State::Stopped) => panic!("{name}: not lost, but {other:?}"),
        };
        let by_hand = ByHand {
            name: "web1".to_owned(),
            version: "x norouter --version".to_owned(),
            printed: "the version of norouter",
            ..ByHand::default()
        };
        let trouble = why.trouble(&by_hand);
        assert!(trouble.what.contains(what), "{name}: {}", trouble.what);
        let told = trouble.remedy.unwrap_or_default();
        assert!(!told.is_empty() && told.contains(remedy), "{name}: {told}");
    }
    assert!(WAYS.len() >= 20);
}

#[test]
fn a_start_up_file_that_takes_the_first_line_is_named() {
    let mut story = Story::with_a_shell();
    story.after(3);
    assert!(!story.text.contains("send"), "{}", story.text);
    story.after(1);
    assert_eq!(story.text.matches("send").count(), 1, "{}", story.text);
    story.answers(&["again", "run /x/5f0c"]);
    assert!(
        story.text.contains("has taken the first line"),
        "{}",
        story.text
    );
    story.says(&control(GREETING));
    assert_eq!(*story.link.state(), State::Ready);
}

#[test]
fn a_shell_is_not_asked_again_while_a_person_types_a_password() {
    let mut story = Story::with_a_shell();
    story.then(|link, now| link.handle_asking(now, true));
    story.after(100);
    assert!(!story.text.contains("send"), "{}", story.text);
    assert_eq!(story.link.poll_timeout(), None);
    story.then(|link, now| link.handle_asking(now, false));
    story.after(0);
    assert_eq!(story.text.matches("send").count(), 1, "{}", story.text);
}
