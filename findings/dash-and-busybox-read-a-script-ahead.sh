#!/bin/sh
# dash 0.5.12 and busybox 1.35.0 read a script on standard input in blocks, so that its commands read from its middle.
#
# A script on standard input may have the input of its commands behind them (`ssh host sh < script`). POSIX (sh, STDIN)
# forbids a shell to read ahead such that a command misses what was meant for it. Here the script is one line with
# `read`, `dd` or `head -c` (of coreutils), and numbered comments behind it. This is where the command begins to read:
#
#     shell              from a pipe                      from a file
#     --------------------------------------------------------------------------------------
#     dash 0.5.12        at byte 8192 of the script       at byte 8192 of the script
#     busybox sh 1.35    at byte 1023 of the script       at byte 1023 of the script
#     bash 5.2           at the next line                 at the next line
#     mksh 59c           at the next line                 at the next line
#     ksh93u+m 1.0.4     at the next line                 at the next line
#     zsh 5.9            at the next line                 at the next line
#     yash 2.52          at the next line                 at the next line
#
# The command has text from the middle of a line, and that text is missing in the script: the rest of the line may be run
# as a command. If the whole script is shorter than a block, the command has nothing at all. So a script with `read`
# changes its meaning when comments are added to its end, at another length for each of the two shells, and nothing is
# said.
#
# Takes the packages of Debian 12 into a temporary folder. Exits with 0 if what is described here is seen.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User= download busybox-static=1:1.35.0-4+deb12u1+b1 dash=0.5.12-2 bash=5.2.15-2+b13 \
    mksh=59c-28+deb12u1 ksh93u+m=1.0.4-3 zsh=5.9-4+b15 yash=2.52-2 coreutils=9.1-1 > /dev/null
for package in *.deb; do dpkg-deb --show "$package"; dpkg-deb -x "$package" root; done

cat > try.py <<'PYTHON'
import os, pathlib, subprocess, sys

root = pathlib.Path("root").resolve()
COMMANDS = ['read x; echo "[$x]"', 'x=$(dd bs=1 count=5 2>/dev/null); echo "[$x]"', 'x=$(head -c 5); echo "[$x]"']
LINES = "".join(f"# {number:05}\n" for number in range(1, 3000))
same = True


def run(shell, text, by_pipe):
    """What the command in a script was given."""
    words = [root / shell.split()[0], *shell.split()[1:]]
    kept = {"PATH": f"{root}/usr/bin:{root}/bin", "HOME": os.getcwd()}
    pathlib.Path("script").write_text(text)
    with open("script", "rb") as file:
        source = {"input": text.encode()} if by_pipe else {"stdin": file}
        done = subprocess.run(words, **source, capture_output=True, env=kept, timeout=30)
    return done.stdout.decode().partition("[")[2].partition("]")[0]


for shell, block in [
    ("bin/dash", 8192), ("bin/busybox sh", 1023), ("bin/bash", None), ("bin/mksh", None), ("bin/ksh93", None),
    ("bin/zsh -f", None), ("usr/bin/yash", None),
]:
    for command in COMMANDS:
        text = f"{command}\n{LINES}"
        at = block or len(command) + 1
        # `read` takes a line without blanks around it, and $(...) drops the line breaks at its end.
        rest = text[at:]
        wanted = rest.partition("\n")[0].strip() if "read" in command else rest[:5].rstrip("\n")
        for by_pipe in [True, False]:
            found = run(shell, text, by_pipe)
            place = f"byte {at} of the script" if block else "the next line"
            place = place if found == wanted else "another place"
            print(f"{shell:15} {command[:12]:12} {'pipe' if by_pipe else 'file'}  begins at {place}: {found!r}")
            same = same and found == wanted
    short = run(shell, 'read x; echo "[$x]"\n# one line\n', True)
    print(f"{shell:15} read in a script of two lines: {short!r}")
    same = same and short == ("" if block else "# one line")
sys.exit(0 if same else 1)
PYTHON
python3 try.py
