#!/bin/sh
# podman 4.3.1: the client of `podman exec` may live on for 5 s after its container was removed, and its exit status is
# 137 or 255 by chance.
#
# `podman rm --force` kills the processes of a container and removes the folder of its exec sessions. The client of an
# exec session, whose process was killed with the container, reads the exit status of that process from a file in this
# folder. The two race:
#
#     the client finds the file                         status 137, within 0.3 s of the removal
#     the client finds that the container is gone       status 255, "container has already been removed", within 0.3 s
#     the client finds the folder without the file      the same, after it has waited 5 s for the file
#
# The third case happened in 5 of 78 removals. The client's streams stay open meanwhile, so a program that reads them
# cannot tell the end of the container from silence.
#
# Takes the packages of Debian 12 into a temporary folder, has podman keep everything there, and needs root. Removes a
# container up to 200 times, until all three cases were seen. Exits with 0 if they were.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User= download podman=4.3.1+ds1-8+deb12u1+b3 conmon=2.1.6+ds1-1 \
    runc=1.1.5+ds1-1+deb12u1 busybox-static=1:1.35.0-4+deb12u1+b1 libgpgme11 libassuan0 libsubid4 libseccomp2 > /dev/null
for package in *.deb; do dpkg-deb -x "$package" tree; done
libraries=$(dirname "$(ls tree/usr/lib/*/libgpgme.so.11)")

mkdir -p run image/bin
cp tree/bin/busybox image/bin
cat > containers.conf <<CONF
[engine]
conmon_path = ["$folder/tree/usr/bin/conmon"]
runtime = "runc"
events_logger = "none"
lock_type = "file"
[engine.runtimes]
runc = ["$folder/tree/usr/sbin/runc"]
CONF
mkdir -p .config/containers
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > .config/containers/policy.json
cat > podman <<SCRIPT
#!/bin/sh
export HOME=$folder XDG_RUNTIME_DIR=$folder/run CONTAINERS_CONF=$folder/containers.conf
export LD_LIBRARY_PATH=$folder/$libraries
exec $folder/tree/usr/bin/podman --root $folder/store --runroot $folder/run --tmpdir $folder/tmp --storage-driver vfs \
    --cgroup-manager cgroupfs "\$@"
SCRIPT
chmod +x podman
tar -cf image.tar -C image .
./podman import -q image.tar localhost/box:1 > import.txt 2>&1 || { cat import.txt; exit 1; }

cat > race.py <<'PYTHON'
import subprocess, sys, time

version = subprocess.run(["./podman", "--version"], capture_output=True, text=True).stdout.strip()
print(version)
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
seen = {"137 at once": 0, "255 at once": 0, "255 after 5 s": 0}
for number in range(200):
    run = ["./podman", "run", "-d", "--name", "c", "--network", "none", *LIMITS, "localhost/box:1", "/bin/busybox"]
    subprocess.run([*run, "sleep", "1000"], check=True, capture_output=True)
    client = ["./podman", "exec", "-i", "c", "/bin/busybox", "cat"]
    client = subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    client.stdin.write("ready\n")
    client.stdin.flush()
    assert client.stdout.readline() == "ready\n"
    subprocess.run(["./podman", "rm", "--force", "--time", "0", "c"], check=True, capture_output=True)
    removed = time.monotonic()
    status = client.wait(60)
    took = time.monotonic() - removed
    when = "at once" if took < 2 else "after 5 s" if 4 < took < 7 else f"after {took:.1f} s"
    seen.setdefault(f"{status} {when}", 0)
    seen[f"{status} {when}"] += 1
    if status == 255:
        assert "removed" in client.stderr.read() or when == "at once"
    if all(seen.values()):
        break
print(f"{number + 1} removals:", seen)
sys.exit(0 if "4.3.1" in version and len(seen) == 3 and all(seen.values()) else 1)
PYTHON
python3 race.py
