#!/bin/sh
# apt 2.6.1 asks no proxy for a host in the variable no_proxy, even if its configuration names one for that very host.
#
# In apt.conf, `Acquire::http::Proxy::HOST "http://..."` is the most specific setting that apt has. The manual of its
# HTTP transport says that the variable http_proxy counts only if the configuration has no proxy, and that no_proxy "is
# also supported for the same purpose" as DIRECT. It does not say which of the two wins. It is the variable:
#
#     configuration                   no_proxy       apt asks
#     -------------------------------------------------------------
#     Proxy::127.0.0.2 "http://..."                  the proxy
#     Proxy::127.0.0.2 "http://..."   127.0.0.2      127.0.0.2 itself
#     Proxy "http://..."              127.0.0.2      127.0.0.2 itself
#     Proxy::127.0.0.2 "DIRECT"                      127.0.0.2 itself
#
# In this one respect the environment is stronger than every file of apt: the line for a host has no effect for a
# person whose shell exempts that host, but has one for a timer, or below sudo, which drops the variable.
#
# apt is a part of the system and is not installed here: this needs Debian or Ubuntu, and was seen with apt 2.6.1 of
# Debian 12. All of apt's folders are temporary ones. Exits with 0 if what is described here is seen.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
apt-get --version | head -n 1
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" "$folder/empty"
# apt downloads as another user if root has started it.
chmod -R 777 "$folder"

cat > "$folder/ask.py" <<'PYTHON'
import os, pathlib, socket, subprocess, sys, threading

folder = pathlib.Path(sys.argv[1])
asked = []


def listen(address, name):
    """A server that notes its name and the first line of each request, and has nothing."""
    listener = socket.create_server((address, 0))

    def serve():
        while True:
            client, _ = listener.accept()
            head = b""
            while b"\r\n\r\n" not in head:
                got = client.recv(4096)
                if not got:
                    break
                head += got
            asked.append((name, head.decode().split("\r\n")[0]))
            client.sendall(b"HTTP/1.1 404 None\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            client.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


proxy = f"http://127.0.0.1:{listen('127.0.0.1', 'proxy')}"
origin = f"127.0.0.2:{listen('127.0.0.2', 'host')}"
(folder / "sources.list").write_text(f"deb [trusted=yes] http://{origin}/ ./\n")


def update(option, **variables):
    """Who is asked first if apt updates its lists."""
    asked.clear()
    folders = {
        "Dir::Etc": folder / "empty", "Dir::Etc::sourcelist": folder / "sources.list", "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": folder / "lists", "Dir::Cache": folder / "cache", "Acquire::Retries": 0,
    }
    options = [word for name, value in folders.items() for word in ("-o", f"{name}={value}")]
    # APT_CONFIG names a file that is read first; this one is empty, and keeps the system's apt.conf out.
    kept = {"PATH": os.environ["PATH"], "APT_CONFIG": "/dev/null"}
    subprocess.run(
        ["apt-get", *options, "-o", option, "update"], env={**kept, **variables},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
    )
    return asked[0]


of_host, of_all = f"Acquire::http::Proxy::127.0.0.2={proxy}", f"Acquire::http::Proxy={proxy}"
expected = [
    (of_host, {}, "proxy"),
    (of_host, {"no_proxy": "127.0.0.2"}, "host"),
    (of_all, {}, "proxy"),
    (of_all, {"no_proxy": "127.0.0.2"}, "host"),
    ("Acquire::http::Proxy::127.0.0.2=DIRECT", {"http_proxy": proxy}, "host"),
]
same = True
for option, variables, wanted in expected:
    who, line = update(option, **variables)
    print(f"{option:56} {variables}\n    the {who} is asked: {line}")
    same = same and who == wanted
sys.exit(0 if same else 1)
PYTHON
python3 "$folder/ask.py" "$folder"
