"""An API server for one deployment, as far as kubectl needs one to list, watch and enter pods. A pod is a command prefix,
for example one that enters a network namespace. The test changes the pods by requests:

    POST /lab/pods/NAME {"prefix": [...], "ready": false, "deleting": true}   adds or changes a pod
    DELETE /lab/pods/NAME                                                     removes it, and kills what runs in it

The first argument is the port, the second one the protocol for exec: v5 (WebSocket) or v4 (SPDY).
"""

import asyncio
import json
import sys
import uuid

from aiohttp import WSMsgType, web

import spdy

NAMESPACE = "shop"
DEPLOYMENT = "api"
LABELS = {"app": "api"}
CLOSE = 255
STDIN, STDOUT, STDERR, ERROR = range(4)

routes = web.RouteTableDef()
pods = {}
watchers = set()
running = {}
history = []
version = 100
created = 0
asked = {}


def resource(name, kind):
    verbs = ["get", "list", "watch"]
    return {"name": name, "singularName": kind.lower(), "kind": kind, "namespaced": True, "verbs": verbs}


@routes.get("/api")
async def api(_):
    return web.json_response({"kind": "APIVersions", "versions": ["v1"]})


@routes.get("/apis")
async def apis(_):
    version = {"groupVersion": "apps/v1", "version": "v1"}
    group = {"name": "apps", "versions": [version], "preferredVersion": version}
    return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]})


@routes.get("/api/v1")
async def core(_):
    resources = [resource("pods", "Pod")]
    return web.json_response({"kind": "APIResourceList", "groupVersion": "v1", "resources": resources})


@routes.get("/apis/apps/v1")
async def apps(_):
    resources = [resource("deployments", "Deployment")]
    return web.json_response({"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": resources})


@routes.get("/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
async def deployment(request):
    if request.match_info["name"] != DEPLOYMENT:
        return missing("deployments.apps", request.match_info["name"])
    count("deployment")
    return web.json_response(
        {
            "kind": "Deployment",
            "apiVersion": "apps/v1",
            "metadata": {"name": DEPLOYMENT, "namespace": NAMESPACE},
            "spec": {"selector": {"matchLabels": LABELS}},
        }
    )


def missing(kind, name):
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
    return web.json_response(body | {"message": f'{kind} "{name}" not found'}, status=404)


def count(what):
    asked[what] = asked.get(what, 0) + 1


def fits(request):
    wanted = request.query.get("labelSelector", "")
    labels = [f"{key}={value}" for key, value in LABELS.items()]
    return all(part in labels for part in wanted.split(",") if part)


@routes.get("/api/v1/namespaces/{namespace}/pods")
async def list_pods(request):
    found = [pod for pod in pods.values() if fits(request)]
    if request.query.get("watch") not in ("1", "true"):
        count("list")
        body = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": str(version)}}
        return web.json_response(body | {"items": found})
    count("watch")
    reply = web.StreamResponse(headers={"Content-Type": "application/json"})
    await reply.prepare(request)
    events = asyncio.Queue()
    since = int(request.query.get("resourceVersion") or 0)
    for number, event in history:
        if number > since:
            events.put_nowait(event)
    watchers.add(events)
    try:
        while event := await events.get():
            await reply.write(json.dumps(event).encode() + b"\n")
    finally:
        watchers.discard(events)
    return reply


@routes.get("/api/v1/namespaces/{namespace}/pods/{name}")
async def one_pod(request):
    name = request.match_info["name"]
    return web.json_response(pods[name]) if name in pods else missing("pods", name)


@routes.post("/lab/pods/{name}")
async def change(request):
    global created
    name, wanted = request.match_info["name"], await request.json()
    is_new = name not in pods
    if is_new:
        created += 1
    old = pods.get(name, {"metadata": {"creationTimestamp": f"2026-01-01T00:{created:02}:00Z"}})
    meta = {"name": name, "namespace": NAMESPACE, "labels": LABELS, "uid": str(uuid.uuid4())} | old["metadata"]
    if wanted.get("deleting"):
        meta["deletionTimestamp"] = "2026-01-01T01:00:00Z"
    ready = {"type": "Ready", "status": "True" if wanted.get("ready") else "False"}
    pods[name] = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": meta,
        "spec": {"containers": [{"name": "app", "image": "none"}]},
        "status": {"phase": "Running", "conditions": [ready]},
    }
    if "prefix" in wanted:
        running.setdefault(name, {"processes": set()})["prefix"] = wanted["prefix"]
    tell("ADDED" if is_new else "MODIFIED", name)
    return web.json_response({})


@routes.delete("/lab/pods/{name}")
async def remove(request):
    name = request.match_info["name"]
    for process in running.pop(name)["processes"]:
        if process.returncode is None:
            process.kill()
    tell("DELETED", name)
    del pods[name]
    return web.json_response({})


@routes.post("/lab/hang-up")
async def hang_up(_):
    """Ends all watches, as an API server does with each after a while."""
    for events in list(watchers):
        events.put_nowait(None)
    return web.json_response({})


@routes.get("/lab/asked")
async def how_often(_):
    return web.json_response(asked)


def tell(what, name):
    global version
    version += 1
    pods[name]["metadata"]["resourceVersion"] = str(version)
    event = {"type": what, "object": json.loads(json.dumps(pods[name]))}
    history.append((version, event))
    for events in watchers:
        events.put_nowait(event)


async def start(name, query):
    """Starts the command of a request in a pod."""
    count("exec")
    pod = running[name]
    command = pod["prefix"] + query.getall("command")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    pod["processes"].add(process)
    return process


def verdict(code):
    """The text of the error stream when a command has ended."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    code = 128 - code if code < 0 else code
    cause = {"reason": "ExitCode", "message": str(code)}
    message = f"command terminated with non-zero exit code: {code}"
    return {"status": "Failure", "reason": "NonZeroExitCode", "message": message, "details": {"causes": [cause]}}


async def copy(stream, write):
    while data := await stream.read(65536):
        await write(data)


@routes.get("/api/v1/namespaces/{namespace}/pods/{name}/exec")
async def enter(request):
    name = request.match_info["name"]
    if name not in pods:
        return missing("pods", name)
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    count(f"offers {offered}")
    if sys.argv[2] != "v5":
        # This is how a server that does not know this protocol refuses it.
        return web.Response(status=403, text="unable to upgrade: unknown protocol")
    socket = web.WebSocketResponse(protocols=["v5.channel.k8s.io"], max_msg_size=0)
    await socket.prepare(request)
    process = await start(name, request.query)

    async def serve_input():
        async for message in socket:
            if message.type != WSMsgType.BINARY:
                break
            channel, data = message.data[0], message.data[1:]
            if channel == STDIN:
                process.stdin.write(data)
                await process.stdin.drain()
            elif channel == CLOSE and data[0] == STDIN:
                process.stdin.close()
        if process.returncode is None:
            process.kill()

    async def serve_output(stream, channel):
        await copy(stream, lambda data: socket.send_bytes(bytes([channel]) + data))

    await finish(process, serve_input(), serve_output)
    await socket.send_bytes(bytes([ERROR]) + json.dumps(verdict(process.returncode)).encode())
    await socket.close()
    return socket


async def finish(process, serve_input, serve_output):
    """Carries the streams of a process until it has ended."""
    task = asyncio.create_task(serve_input)
    outputs = [serve_output(process.stdout, STDOUT), serve_output(process.stderr, STDERR)]
    await asyncio.gather(*outputs, return_exceptions=True)
    await process.wait()
    task.cancel()


@routes.post("/api/v1/namespaces/{namespace}/pods/{name}/exec")
async def enter_by_spdy(request):
    name = request.match_info["name"]
    if name not in pods:
        return missing("pods", name)
    count(f"offers {request.headers.getall('X-Stream-Protocol-Version', [])}")
    connection = await spdy.accept(request, "v4.channel.k8s.io")
    streams = await connection.streams()
    process = await start(name, request.query)

    async def serve_input():
        while data := await streams["stdin"].read():
            process.stdin.write(data)
            await process.stdin.drain()
        process.stdin.close()
        await connection.closed.wait()
        if process.returncode is None:
            process.kill()

    async def serve_output(stream, channel):
        far = streams["stdout" if channel == STDOUT else "stderr"]
        await copy(stream, far.write)
        await far.close()

    await finish(process, serve_input(), serve_output)
    await streams["error"].write(json.dumps(verdict(process.returncode)).encode())
    await streams["error"].close()
    await connection.closed.wait()
    return web.Response()


app = web.Application()
app.add_routes(routes)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), shutdown_timeout=0.1, print=None, access_log=None)
