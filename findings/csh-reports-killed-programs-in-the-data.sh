#!/bin/sh
# csh 20110502 (bsd-csh) writes "Killed" and "Segmentation fault" to standard output, where the data of a script is.
#
# A shell that says how a program was ended does so on standard error, also tcsh, the other csh. bsd-csh, which Debian
# offers as /bin/csh beside tcsh, uses standard output, even for a program whose own output goes elsewhere. Through
# `ssh`, a machine with this login shell sends the word to whoever reads the data of the program that has just ended:
#
#     ./ends-by-KILL; echo end                             standard output     standard error
#     ---------------------------------------------------------------------------------------------
#     bsd-csh 20110502                                     Killed, end         nothing
#     tcsh 6.24.07                                         end                 Killed
#     dash 0.5.12, busybox sh 1.35, mksh 59c               end                 Killed
#     bash 5.2, ksh93u+m 1.0.4                             end                 Killed, in a longer line
#     zsh 5.9, yash 2.52                                   end                 nothing
#
# bsd-csh and tcsh have one more case together. If the program ends by SIGINT, they alone print an empty line (CR LF) to
# standard output and leave the script with status 1, without a word; the others go on with `echo end`.
#
# Takes the packages of Debian 12 into a temporary folder. Exits with 0 if what is described here is seen.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User= download csh=20110502-7+b1 tcsh=6.24.07-1 busybox-static=1:1.35.0-4+deb12u1+b1 \
    dash=0.5.12-2 bash=5.2.15-2+b13 mksh=59c-28+deb12u1 ksh93u+m=1.0.4-3 zsh=5.9-4+b15 yash=2.52-2 > /dev/null
for package in *.deb; do dpkg-deb --show "$package"; dpkg-deb -x "$package" root; done

cat > try.py <<'PYTHON'
import os, pathlib, subprocess, sys

for signal in ["KILL", "SEGV", "INT"]:
    program = pathlib.Path(f"ends-by-{signal}")
    program.write_text(f"#!/bin/sh\nkill -{signal} $$\n")
    program.chmod(0o755)


def run(shell, script):
    """Standard output, the last words of standard error, and the status."""
    words = ["root/" + shell.split()[0], *shell.split()[1:], "-c", script]
    kept = {"PATH": os.environ["PATH"], "HOME": os.getcwd(), "LC_ALL": "C"}
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env=kept, timeout=30)
    return done.stdout.decode(), done.stderr.decode().strip(), done.returncode


same = True
for shell, where in [
    ("bin/bsd-csh -f", "output"), ("bin/tcsh -f", "error"), ("bin/dash", "error"), ("bin/busybox sh", "error"),
    ("bin/mksh", "error"), ("bin/bash", "error"), ("bin/ksh93", "error"), ("bin/zsh -f", "nowhere"),
    ("usr/bin/yash", "nowhere"),
]:
    for script, word in [
        ("./ends-by-KILL; echo end", "Killed"),
        ("./ends-by-SEGV; echo end", "Segmentation fault"),
        ("./ends-by-KILL > file; echo end", "Killed"),
        ("./ends-by-INT; echo end", ""),
    ]:
        output, error, status = run(shell, script)
        print(f"{shell:15} {script:32} {output!r:28} {error[-32:]!r:36} {status}")
        if not word:
            wanted = ("\r\n", 1) if "csh" in shell else ("end\n", 0)
            same = same and (output, status) == wanted
            continue
        if shell == "bin/ksh93" and word != "Killed":
            word = "Memory fault"
        same = same and output == (f"{word}\nend\n" if where == "output" else "end\n")
        same = same and (word in error if where == "error" else error == "")
sys.exit(0 if same else 1)
PYTHON
python3 try.py
