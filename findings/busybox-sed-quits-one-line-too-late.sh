#!/bin/sh
# `sed 1q` of busybox 1.35.0 takes two lines of a file, and its `head -c 6` takes a whole block of a pipe.
#
# In `{ head -n 1; sort; } < file`, both programs read from one open file. POSIX (1.4, "INPUT FILES") has a program that
# ends before the end of its input set the place in a file right behind what it has used. From a pipe nothing can be put
# back, so only reading byte by byte, or a number of bytes, can be exact. The input has lines of 6 bytes, and each
# program is to use one of them; the table says how many bytes are gone then:
#
#                              from a file                            from a pipe
#                  head -n 1  head -c 6  sed 1q  grep -m 1      head -n 1  head -c 6  sed 1q  grep -m 1
#     --------------------------------------------------------------------------------------------------
#     GNU              6          6         6        6             more        6       more     more
#     busybox 1.35     6          6        12        6             more       more     more     more
#     toybox 0.8.9    more       more     more     more            more       more     more     more
#     uutils 0.0.17   more        6         -        -             more        6         -        -
#
# busybox sets the place back, but its sed has looked at the next line by then: exactly one line is lost, and nothing is
# said. `head -c N` takes a header from a pipe, and leaves the rest to the next program, only with GNU and uutils;
# busybox and toybox print the right bytes, and the next program misses a block.
#
# Takes the packages of Debian 12 into a temporary folder (sed 4.9, grep 3.8, coreutils 9.1 are the GNU ones). Exits with
# 0 if what is described here is seen.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User= download coreutils=9.1-1 sed=4.9-1+deb12u1 grep=3.8-5 rust-coreutils=0.0.17-2 \
    busybox-static=1:1.35.0-4+deb12u1+b1 toybox=0.8.9+dfsg-1 > /dev/null
for package in *.deb; do dpkg-deb --show "$package"; dpkg-deb -x "$package" root; done

cat > try.py <<'PYTHON'
import os, subprocess, sys, threading

LINES = "".join(f"{number:05}\n" for number in range(1, 5000)).encode()
with open("file", "wb") as file:
    file.write(LINES)


def gone(words, by_pipe):
    """How many bytes of its input a program has taken."""
    if by_pipe:
        end, start = os.pipe()

        def fill():
            with open(start, "wb") as pipe:
                pipe.write(LINES)

        threading.Thread(target=fill).start()
    else:
        end = os.open("file", os.O_RDONLY)
    with open(end, "rb", buffering=0) as source:
        done = subprocess.run(words, stdin=source, capture_output=True, timeout=30, check=True)
        rest = source.readall()
    if done.stdout != b"00001\n" or not LINES.endswith(rest):
        sys.exit(f"{words}: {done.stdout}")
    return len(LINES) - len(rest)


GNU, UUTILS = "root/usr/bin/", "root/usr/lib/cargo/bin/coreutils/"
BUSYBOX, TOYBOX = ["root/bin/busybox"], ["root/bin/toybox"]
HEAD_N, HEAD_C, SED, GREP = ["head", "-n", "1"], ["head", "-c", "6"], ["sed", "1q"], ["grep", "-m", "1", "."]
MORE = "more"
same = True
for words, of_file, of_pipe in [
    ([GNU + "head", *HEAD_N[1:]], 6, MORE),
    ([GNU + "head", *HEAD_C[1:]], 6, 6),
    (["root/bin/sed", *SED[1:]], 6, MORE),
    (["root/bin/grep", *GREP[1:]], 6, MORE),
    (BUSYBOX + HEAD_N, 6, MORE),
    (BUSYBOX + HEAD_C, 6, MORE),
    (BUSYBOX + SED, 12, MORE),
    (BUSYBOX + GREP, 6, MORE),
    (TOYBOX + HEAD_N, MORE, MORE),
    (TOYBOX + HEAD_C, MORE, MORE),
    (TOYBOX + SED, MORE, MORE),
    (TOYBOX + GREP, MORE, MORE),
    ([UUTILS + "head", *HEAD_N[1:]], MORE, MORE),
    ([UUTILS + "head", *HEAD_C[1:]], 6, 6),
]:
    found = gone(words, False), gone(words, True)
    print(f"{' '.join(words):52} file: {found[0]:5}   pipe: {found[1]:5}")
    for count, wanted in zip(found, (of_file, of_pipe)):
        same = same and (count > 12 if wanted == MORE else count == wanted)
sys.exit(0 if same else 1)
PYTHON
python3 try.py
