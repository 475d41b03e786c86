#!/usr/bin/env python3
"""Counts the lines that ten edits change when norouter makes them, and when the file is parsed and two libraries print
the changed tree. Needs norouter (NR), pip and npm: NR=target/debug/norouter tests/edit/dumped.py"""

import difflib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

PYYAML, JS_YAML = "6.0.2", "4.1.0"
HERE = pathlib.Path(__file__).parent
TEXT = (HERE / "corpus/47-office.yaml").read_text()


# The name of an edit, what makes it here, and the same in a tree.
EDITS = [
    ("set an address", "host set db vip 127.0.42.121", lambda t: t["hosts"]["db"].update(vip="127.0.42.121")),
    ("publish a port", "port add db 8404:127.0.0.1:8404", lambda t: t["hosts"]["db"]["ports"].append("8404:127.0.0.1:8404")),
    ("stop publishing a port", "port rm web1 8443 --everywhere", lambda t: t["hosts"]["web1"]["ports"].remove("8443:127.0.0.1:443")),
    ("change a shared value for all", "host set web1 ports 80:127.0.0.1:80 --everywhere", lambda t: t["hosts"]["web1"]["ports"].__setitem__(slice(None), ["80:127.0.0.1:80"])),
    ("change a command", ["host", "set", "web2", "cmd", "ssh root@web2.example.com -- norouter"], lambda t: t["hosts"]["web2"].update(cmd="ssh root@web2.example.com -- norouter")),
    ("add a host", "host add web3 --ssh web3 --vip 127.0.42.103", lambda t: t["hosts"].update(web3={"vip": "127.0.42.103", "ssh": "web3"})),
    ("remove a host", "host rm db", lambda t: t["hosts"].pop("db")),
    ("add a route", "route add --via gate --to 10.0.0.0/8", lambda t: t["routes"].append({"via": "gate", "to": ["10.0.0.0/8"]})),
    ("move a route", "route mv 2 1", lambda t: t["routes"].insert(0, t["routes"].pop(1))),
    ("set a field of hostTemplate", "host set hostTemplate writeEtcHosts true", lambda t: t["hostTemplate"].update(writeEtcHosts=True)),
]

def changed(text):
    """Lines that are taken away or added."""
    lines = difflib.ndiff(TEXT.splitlines(), text.splitlines())
    return sum(line[0] in "+-" for line in lines)


def lost(text):
    """Comments that are not there any more."""
    return sum(line.count("#") for line in TEXT.splitlines()) - sum(line.count("#") for line in text.splitlines())


def main():
    norouter = pathlib.Path(os.environ["NR"]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run = lambda *words, **more: subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, cwd=folder, **more).stdout
        run(sys.executable, "-m", "pip", "-q", "install", f"PyYAML=={PYYAML}", "--target", "python")
        run("npm", "install", "--silent", f"js-yaml@{JS_YAML}")
        sys.path.insert(0, str(folder / "python"))
        import yaml

        print(f"| edit | norouter | PyYAML {PYYAML} | js-yaml {JS_YAML} |\n|---|---|---|---|")
        for name, words, change in EDITS:
            file = folder / "norouter.yaml"
            file.write_text(TEXT)
            words = words.split() if isinstance(words, str) else words
            run(norouter, *words, "--yes", "--file", str(file), stderr=subprocess.PIPE)
            ours = file.read_text()
            tree = yaml.safe_load(TEXT)
            change(tree)
            dumped = yaml.safe_dump(tree, sort_keys=False)
            print_again = "const y = require('js-yaml'); process.stdout.write(y.dump(JSON.parse(require('fs').readFileSync(0))))"
            other = run("node", "-e", print_again, input=json.dumps(tree))
            figures = [f"{changed(text)} / {lost(text)}" for text in (ours, dumped, other)]
            print(f"| {name} | " + " | ".join(figures) + " |")


main()
