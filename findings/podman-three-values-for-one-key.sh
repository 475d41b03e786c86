#!/bin/sh
# podman 4.3.1 has up to three values for one key of a container: in {{json .}}, {{json .}}{{""}} and {{json .KEY}}.
#
# `docker ps --format` fills in a template for each container, so that {{json .}} is an object with the same keys and
# values that the template can name. podman takes exactly {{json .}}, with any blanks, for the word "json": it runs no
# template, and prints one array of all containers. Anything behind it makes it a template again, with a line for each
# container, and other values; and single keys are functions, which hide fields of the same name:
#
#     key          {{json .}}, json      {{json .}}{{""}}           {{json .KEY}}
#     ---------------------------------------------------------------------------------------------
#     Created      1796039887            "2026-11-30T11:58:07..."   "2026-11-30T11:58:07..."
#     CreatedAt    "1 second ago"        ""                         "2026-11-30 11:58:07... +0000 UTC"
#     Status       "Created"             ""                         "Created"
#     State        "created"             "created"                  "Created"
#     Names        ["web"]               ["web"]                    "web"
#     Id           64 digits             64 digits                  an error
#     ID           missing               missing                    12 digits
#
# docker 20.10.24, asked about the same container through podman's API, has one value for each key in all three. So a
# program that has been written for docker cannot read podman's array line by line, and the way to get lines leaves
# CreatedAt and Status empty without a word. Templates of single keys work with both programs.
#
# Takes the packages of Debian 12 into a temporary folder, has podman keep everything there, and needs root. No container
# is started. Exits with 0 if what is described here is seen.
set -eu

folder=$(mktemp -d)
service=
trap '[ -z "$service" ] || kill "$service" || :; rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User= download podman=4.3.1+ds1-8+deb12u1+b3 docker.io=20.10.24+dfsg1-1+deb12u1+b6 \
    conmon=2.1.6+ds1-1 crun=1.8.1-1+deb12u1 libyajl2 libgpgme11 libassuan0 libsubid4 libseccomp2 > /dev/null
for package in *.deb; do dpkg-deb -x "$package" tree; done
libraries=$(dirname "$(ls tree/usr/lib/*/libyajl.so.2)")

mkdir run image
cat > containers.conf <<CONF
[engine]
conmon_path = ["$folder/tree/usr/bin/conmon"]
runtime = "crun"
events_logger = "none"
lock_type = "file"
[engine.runtimes]
crun = ["$folder/tree/usr/bin/crun"]
CONF
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > policy.json
cat > podman <<SCRIPT
#!/bin/sh
export HOME=$folder XDG_RUNTIME_DIR=$folder/run CONTAINERS_CONF=$folder/containers.conf
export LD_LIBRARY_PATH=$folder/$libraries
exec $folder/tree/usr/bin/podman --root $folder/store --runroot $folder/run --tmpdir $folder/tmp --storage-driver vfs \
    --cgroup-manager cgroupfs "\$@"
SCRIPT
chmod +x podman
tar -cf image.tar -C image .
./podman import -q image.tar localhost/none:1 > import.txt 2>&1 || { cat import.txt; exit 1; }
./podman create --network none --name web localhost/none:1 /x > /dev/null
./podman system service --time 100 "unix://$folder/podman.sock" > service.txt 2>&1 &
service=$!

cat > ask.py <<'PYTHON'
import json, os, pathlib, subprocess, sys, time

here = pathlib.Path.cwd()
deadline = time.monotonic() + 30
while not (here / "podman.sock").exists() and time.monotonic() < deadline:
    time.sleep(0.05)


def podman(*words):
    return subprocess.run([here / "podman", *words], check=True, capture_output=True, text=True).stdout


def docker(*words):
    kept = {"HOME": str(here), "DOCKER_HOST": f"unix://{here}/podman.sock"}
    words = [here / "tree/usr/bin/docker", *words]
    return subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ, **kept}).stdout


def value(ask, template, key):
    """The value of a key in the first container that a template prints: as JSON, or a word if it has none."""
    try:
        text = ask("ps", "-a", "--format", template)
    except subprocess.CalledProcessError:
        return "error"
    if ask == podman and text.startswith("["):
        found = json.loads(text)[0]
    else:
        found = json.loads(text.splitlines()[0])
    if "json ." + key in template:
        return found
    return found.get(key, "missing")


print(podman("--version").strip(), "/", docker("--version").strip())
same = "4.3.1" in podman("--version") and "20.10.24" in docker("--version")
WHOLE, LINE = "{{json .}}", '{{json .}}{{""}}'


def is_time(text):
    return isinstance(text, str) and text[:2] == "20" and text[4] == "-"


def is_ago(text):
    return isinstance(text, str) and text.endswith("ago")


def digits(count):
    return lambda text: isinstance(text, str) and len(text) == count and text.isalnum()


def number(it):
    return isinstance(it, int)


for key, *wanted in [
    ("Created", number, is_time, is_time),
    ("CreatedAt", is_ago, "", is_time),
    ("Status", "Created", "", "Created"),
    ("State", "created", "created", "Created"),
    ("Names", ["web"], ["web"], "web"),
    ("Id", digits(64), digits(64), "error"),
    ("ID", "missing", "missing", digits(12)),
]:
    found = [value(podman, template, key) for template in (WHOLE, LINE, f"{{{{json .{key}}}}}")]
    print(f"podman {key:10}", *(f"{json.dumps(it):38.38}" for it in found))
    for it, want in zip(found, wanted):
        same = same and (want(it) if callable(want) else it == want)

for template in ["json", "  {{ json . }} "]:
    same = same and podman("ps", "-a", "--format", template).startswith("[\n")

for key in ["CreatedAt", "Status", "State", "Names", "ID"]:
    found = [value(docker, template, key) for template in (WHOLE, LINE, f"{{{{json .{key}}}}}")]
    print(f"docker {key:10}", *(f"{json.dumps(it):38.38}" for it in found))
    same = same and found[0] == found[1] == found[2] and isinstance(found[0], str)
sys.exit(0 if same else 1)
PYTHON
python3 ask.py
