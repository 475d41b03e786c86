#!/bin/sh
# lynx 2.9.0dev.12 ignores the port of an address that has a user name, also of a proxy.
#
# For http://me:word@127.0.7.7:3128/ lynx connects to port 80 of 127.0.7.7. With the same address in http_proxy, the
# request for the proxy goes to port 80 of the proxy's machine, too, where another server may answer it. All that lynx
# says is "Making HTTP connection to 127.0.7.7". Without "me:word@", both lead to port 3128:
#
#     address or http_proxy              lynx connects to
#     ---------------------------------------------------
#     http://127.0.7.7:3128/             port 3128
#     http://me@127.0.7.7:3128/          port 80
#     http://me:word@127.0.7.7:3128/     port 80
#
# The option -pauth=me:word gives lynx the credentials for a proxy, and the port stays. The function that removes the
# user name (strip_userid) also ends the name of the host at its first colon; it is the same in the sources of 2.9.2.
#
# Takes the packages of Debian 12 into a temporary folder, and needs the right to listen on port 80. Exits with 0 if
# what is described here is seen.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User= download lynx=2.9.0dev.12-1 lynx-common=2.9.0dev.12-1 > /dev/null
for package in *.deb; do dpkg-deb -x "$package" root; done

cat > ask.py <<'PYTHON'
import os, pathlib, socket, subprocess, sys, threading

HOST = "127.0.7.7"
root = pathlib.Path("root").resolve()
asked = []


def listen(port):
    """A server that notes its port and the first line of each request."""
    listener = socket.create_server((HOST, port))

    def serve():
        while True:
            client, _ = listener.accept()
            head = b""
            while b"\r\n\r\n" not in head:
                got = client.recv(4096)
                if not got:
                    break
                head += got
            asked.append((port, head.decode().split("\r\n")[0]))
            client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhi\n")
            client.close()

    threading.Thread(target=serve, daemon=True).start()


def lynx(address, **variables):
    asked.clear()
    config = root / "etc/lynx/lynx.cfg"
    words = [root / "usr/bin/lynx", f"-cfg={config}", "-dump", address]
    kept = {"PATH": os.environ["PATH"], "HOME": str(root), "TERM": "dumb"}
    subprocess.run(words, env={**kept, **variables}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=60)
    return asked[0]


listen(80)
listen(3128)
about = subprocess.run([root / "usr/bin/lynx", "-version"], env={"HOME": str(root)}, capture_output=True, text=True)
about = about.stdout
print(about.splitlines()[0])
same = "2.9.0dev.12" in about
for user, wanted in [("", 3128), ("me@", 80), ("me:word@", 80)]:
    address = f"http://{user}{HOST}:3128"
    for what, seen in [
        (f"lynx {address}/a", lynx(f"{address}/a")),
        (f"http_proxy={address} lynx http://web.example/", lynx("http://web.example/", http_proxy=address)),
    ]:
        print(f"{what:72} port {seen[0]}: {seen[1]}")
        same = same and seen[0] == wanted
sys.exit(0 if same else 1)
PYTHON
python3 ask.py
