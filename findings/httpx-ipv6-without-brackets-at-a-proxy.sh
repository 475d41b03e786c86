#!/bin/sh
# httpx 0.28.1 (httpcore 1.0.9) leaves out the brackets of an IPv6 address when it asks a proxy.
#
# RFC 3986 section 3.2.2 puts an IPv6 address into brackets, so that its colons are not taken for that of the port. For URLs
# that have them, httpx sends to a proxy
#
#     GET http://fd95::7:8099/a      with the field   Host: [fd95::7]:8099
#     CONNECT fd95::7:8099           with the field   Host: fd95::7:8099
#
# requests 2.34.2 writes the brackets in both. A proxy that reads strictly answers 400 to httpx, and one that takes the
# text for an address without a port would connect to fd95::7:8099, port 80. In CONNECT the port is never left out, so there
# the last colon is certain to be its.
#
# Installs the packages from PyPI into a temporary folder. Exits with 0 if what is described here is seen.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install httpx==0.28.1 httpcore==1.0.9 requests==2.34.2

cat > "$folder/ask.py" <<'PYTHON'
import socket, sys, threading

import httpcore, httpx, requests


def seen(ask):
    """Method and target of the request that `ask` sends to a proxy, and its field Host."""
    listener = socket.create_server(("127.0.0.1", 0))
    lines = []

    def serve():
        client, _ = listener.accept()
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        lines.extend(head.decode().split("\r\n"))
        client.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        client.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        ask(f"http://127.0.0.1:{listener.getsockname()[1]}")
    except (httpx.ProxyError, requests.exceptions.ProxyError):
        pass  # The answer to CONNECT is 403, so there is no tunnel.
    thread.join()
    host = next((line for line in lines if line.lower().startswith("host:")), "no Host")
    return lines[0].rsplit(" ", 1)[0], host


def by_httpx(url):
    return lambda proxy: httpx.Client(proxy=proxy, trust_env=False).get(url)


def by_requests(url):
    return lambda proxy: requests.get(url, proxies={"http": proxy, "https": proxy})


plain, secure = "http://[fd95::7]:8099/a", "https://[fd95::7]:8099/a"
expected = {
    ("httpx", plain): ("GET http://fd95::7:8099/a", "Host: [fd95::7]:8099"),
    ("httpx", secure): ("CONNECT fd95::7:8099", "Host: fd95::7:8099"),
    ("requests", plain): ("GET http://[fd95::7]:8099/a", "Host: [fd95::7]:8099"),
    # Whether there is a field Host depends on the version of Python.
    ("requests", secure): ("CONNECT [fd95::7]:8099", None),
}
print("httpx", httpx.__version__, "httpcore", httpcore.__version__, "requests", requests.__version__)
same = True
for (client, url), wanted in expected.items():
    found = seen({"httpx": by_httpx, "requests": by_requests}[client](url))
    print(f"{client:8} {url:26} {found}")
    same = same and found[0] == wanted[0] and wanted[1] in (None, found[1])
sys.exit(0 if same else 1)
PYTHON
"$folder/venv/bin/python" "$folder/ask.py"
