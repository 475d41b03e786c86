#!/bin/sh
# busybox 1.35.0 `sh` runs a program of another processor as a shell script; dash, bash, mksh, ksh93 and zsh refuse it.
#
# If the kernel does not know the form of a file, POSIX has a shell run it as a script, unless its beginning shows that
# it is no text. Shells look for that in different ways, and the ash of busybox, which is otherwise like dash, does not
# look at all. The table is for an ELF file for RISC-V that has the line "echo ran as a script" among its data. Its
# status is then that of whatever comes last in the data, and may be 0:
#
#     shell              SHELL -c ./program      SHELL ./program
#     ---------------------------------------------------------------
#     busybox sh 1.35    runs the line           runs the line
#     dash 0.5.12        refuses, 126            runs the line
#     bash 5.2           refuses, 126            refuses, 126
#     mksh 59c           refuses, 1              runs the line
#     ksh93u+m 1.0.4     refuses, 126            refuses, 126
#     zsh 5.9            refuses, 126            runs the line
#     yash 2.52          stops, 127              stops, 127
#
# yash takes it for a script, too, but stops at the first line. On a machine with busybox, an attempt to run a program
# therefore does not show whether the program is for that machine: whatever its bytes say is done, and may succeed.
#
# Takes the packages of Debian 12 into a temporary folder. Needs a machine that is not RISC-V and has no emulator for it.
# Exits with 0 if what is described here is seen.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User= download busybox-static=1:1.35.0-4+deb12u1+b1 dash=0.5.12-2 bash=5.2.15-2+b13 \
    mksh=59c-28+deb12u1 ksh93u+m=1.0.4-3 zsh=5.9-4+b15 yash=2.52-2 > /dev/null
for package in *.deb; do dpkg-deb --show "$package"; dpkg-deb -x "$package" root; done

cat > try.py <<'PYTHON'
import os, struct, subprocess, sys

# A whole program: the header, one segment, "li a0, 0; li a7, 93; ecall" (exit with 0), and data.
code = struct.pack("<III", 0x00000513, 0x05D00893, 0x00000073)
data = b"\necho ran as a script\nexit 7\n"
size = 64 + 56 + len(code) + len(data)
header = b"\x7fELF\2\1\1" + bytes(9)
header += struct.pack("<HHIQQQIHHHHHH", 2, 243, 1, 0x10000 + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0)
segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x10000, 0x10000, size, size, 0x1000)
with open("program", "wb") as file:
    file.write(header + segment + code + data)
os.chmod("program", 0o755)
try:
    subprocess.run(["./program"])
    sys.exit("this machine runs programs for RISC-V")
except OSError as error:
    print("the kernel says:", error.strerror)

RUNS = ("ran as a script", 7)
same = True
for shell, by_command, as_argument in [
    ("bin/busybox sh", RUNS, RUNS),
    ("bin/dash", ("", 126), RUNS),
    ("bin/bash", ("", 126), ("", 126)),
    ("bin/mksh", ("", 1), RUNS),
    ("bin/ksh93", ("", 126), ("", 126)),
    ("bin/zsh -f", ("", 126), RUNS),
    ("usr/bin/yash", ("", 127), ("", 127)),
]:
    for words, wanted in [(["-c", "./program"], by_command), (["./program"], as_argument)]:
        command = ["root/" + shell.split()[0], *shell.split()[1:], *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        found = (done.stdout.decode().strip(), done.returncode)
        said = done.stderr.decode(errors="replace").strip().split("\n")[0]
        said = "".join(c for c in said if c.isascii() and c.isprintable())
        print(f"{' '.join([shell, *words]):28} status {found[1]:3}, {found[0] or 'nothing'!r:18} {said[:70]}")
        same = same and found == wanted
sys.exit(0 if same else 1)
PYTHON
python3 try.py
