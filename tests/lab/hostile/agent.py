"""The hostile agents of the lab: `agent.py MODE PLACE AGENT...` is the command of a host, and each mode is an attack.

The attack begins when PLACE.go exists. PLACE.sent contains the number of frames and of bytes that were sent.
"""

import os
import random
import select
import sys
import threading
import time

import line
from line import ACK, CONTROL, FIN, PACKET, PSH, RST, SYN, Segment, control, event, frame, packet, pattern, problems

MODES = {}
DNS, RELAY = 10053, 10054
ECHO, SOURCE, DEAF, WITNESS = 8080, 8081, 8082, 8083


def mode(function):
    MODES[function.__name__.replace("_", "-")] = function
    return function


def ready(agent, drains=True, more=()):
    agent.greet(more)
    if drains:
        agent.drain()
    agent.wait()


@mode
def nothing(agent):
    ready(agent)


@mode
def refused_unread(agent):
    """SYNs that are refused. The resets for them stay in the queue of this host, which does not read."""
    blocks = [b for n in range(4) for b in agent.syns(agent.me - agent.me % 256 + 240 + n, 1)]
    ready(agent, drains=False)
    for block in blocks:
        agent.put(block, line.BLOCK)


@mode
def refused_one_port(agent):
    block = packet(agent.me, 7, agent.me - agent.me % 256 + 250, 1) * line.BLOCK
    ready(agent, drains=False)
    for _ in range(260_000 // line.BLOCK):
        agent.put(block, line.BLOCK)


@mode
def refused_read(agent):
    blocks = [b for n in range(2) for b in agent.syns(agent.me - agent.me % 256 + 240 + n, 1)]
    ready(agent)
    agent.repeat(blocks, line.BLOCK)


@mode
def syn_dns(agent):
    blocks = agent.syns(agent.hosts["laptop"], DNS)
    ready(agent)
    agent.repeat(blocks, line.BLOCK)


@mode
def json_objects(agent):
    ready(agent)
    agent.repeat([control(b'{"type":"event","body":{"type":"x","data":[' + b'{"":0},' * 149_000 + b"0]}}")], 1)


@mode
def same_problems(agent):
    ready(agent)
    agent.repeat([problems(64, "w" * 300) * 20], 20)


@mode
def empty_lists(agent):
    ready(agent)
    agent.repeat([control(b'{"type":"event","body":{"type":"x","data":[' + b"[]," * 340_000 + b"0]}}")], 1)


@mode
def small_events(agent):
    ready(agent)
    agent.repeat([event("x", None) * 1000], 1000)


@mode
def features_then_syns(agent):
    blocks = agent.syns(agent.hosts["good"], ECHO)
    ready(agent, more=["f%d" % n for n in range(7_800)])
    agent.repeat(blocks, line.BLOCK)


@mode
def syn_good(agent):
    blocks = agent.syns(agent.hosts["good"], ECHO)
    ready(agent)
    agent.repeat(blocks, line.BLOCK)


@mode
def syn_relay(agent):
    blocks = agent.syns(agent.hosts["good2"], RELAY)
    ready(agent)
    agent.repeat(blocks, line.BLOCK)


@mode
def syn_silent(agent):
    """SYNs to a host that does not answer, so that every flow stays half open."""
    blocks = agent.syns(agent.hosts["silent"], ECHO, range(1024, 1024 + 16_400))
    ready(agent)
    for _ in range(3):
        for block in blocks:
            agent.put(block, line.BLOCK)
        time.sleep(1)


@mode
def syn_self(agent):
    """Packets from this host to itself."""
    blocks = agent.syns(agent.me, ECHO)
    ready(agent)
    agent.repeat(blocks, line.BLOCK)


@mode
def syn_reset(agent):
    pairs = []
    for port in range(1024, 61024):
        to = (agent.hosts["good"], ECHO)
        pairs.append(packet(agent.me, port, *to, 9) + packet(agent.me, port, *to, 10, 0, RST))
    ready(agent)
    agent.repeat([b"".join(pairs[n : n + 100]) for n in range(0, len(pairs), 100)], 200)


@mode
def resets(agent):
    blocks = agent.syns(agent.hosts["good"], ECHO, flags=RST | ACK)
    ready(agent)
    agent.repeat(blocks, line.BLOCK)


def flood_flows(agent, to, port, count, window, answer):
    """Opens flows, and answers every packet until the end."""
    ready(agent, drains=False)
    flows = agent.open(count, agent.hosts[to], port, window=window)
    answer(flows, None)
    for come in agent.frames(0.02):
        answer(flows, Segment(come[1]) if come and come[0] == PACKET else None)


@mode
def zero_window(agent):
    """The service sends much. The window stays closed, and every window probe is answered."""

    def answer(flows, segment):
        if segment and segment.dport in flows:
            sent, got = flows[segment.dport]
            agent.put(packet(agent.me, segment.dport, segment.src, segment.sport, sent, got, ACK, 0), 1)

    flood_flows(agent, "laptop", SOURCE, 300, 0, answer)


@mode
def tiny_window(agent):
    """The window is one byte."""

    def answer(flows, segment):
        if segment and segment.dport in flows:
            flow = flows[segment.dport]
            if segment.length and segment.seq == flow[1]:
                flow[1] = flow[1] + segment.length & 0xFFFFFFFF
            agent.put(packet(agent.me, segment.dport, segment.src, segment.sport, flow[0], flow[1], ACK, 1), 1)

    flood_flows(agent, "laptop", SOURCE, 300, 1, answer)


@mode
def fill(agent):
    """The service does not read. As many bytes as fit into its window are sent again and again."""
    data = bytes(60_000)

    def answer(flows, segment):
        if segment is None:
            for port, (sent, got) in flows.items():
                agent.put(packet(agent.me, port, agent.hosts["laptop"], DEAF, sent, got, ACK, data=data), 1)
        elif segment.dport in flows and segment.ack > flows[segment.dport][0]:
            flows[segment.dport][0] = segment.ack

    flood_flows(agent, "laptop", DEAF, 300, 0xFFFF, answer)


@mode
def dns_questions(agent):
    """DNS questions for names of the network: twenty at a time on each of a hundred flows."""
    name = b"\x04good\x00"
    question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + name + b"\x00\x01\x00\x01"
    questions = (len(question).to_bytes(2, "big") + question) * 20

    def answer(flows, segment):
        asked = []
        if segment is None:
            asked = list(flows)
        elif segment.dport in flows and segment.length and segment.seq == flows[segment.dport][1]:
            flows[segment.dport][1] += segment.length
            flows[segment.dport][0] = max(flows[segment.dport][0], segment.ack)
            asked = [segment.dport]
        for port in asked:
            sent, got = flows[port]
            agent.put(packet(agent.me, port, agent.hosts["laptop"], DNS, sent, got, ACK | PSH, data=questions), 20)

    flood_flows(agent, "laptop", DNS, 100, 0xFFFF, answer)


@mode
def relay_questions(agent):
    """Requests to the relay for names that no DNS server answers, again and again."""
    ready(agent, drains=False)
    for base in range(10_000, 60_000, 200):
        flows = agent.open(200, agent.hosts["good2"], RELAY, base)
        for port, (sent, got) in flows.items():
            text = b'{"host":"n%d.internal","port":80}' % port
            text = len(text).to_bytes(2, "big") + text
            agent.put(packet(agent.me, port, agent.hosts["good2"], RELAY, sent, got, ACK | PSH, data=text), 1)


@mode
def stray(agent):
    """Packets of the largest size that do not belong to a flow."""
    block = b"".join(packet(agent.me, 1024 + n, agent.hosts["good"], ECHO, 9, 9, ACK, data=bytes(65_495)) for n in range(16))
    ready(agent)
    agent.repeat([block], 16)


def shout(agent, text):
    ready(agent)
    while True:
        os.write(2, text)
        agent.put(b"", 1)


@mode
def stderr_ansi(agent):
    shout(agent, b"\x1b[31mall work and no play\x1b]0;title\x07\n" * 1500)


@mode
def stderr_breaks(agent):
    shout(agent, b"\n" * 65_536)


@mode
def stderr_endless(agent):
    shout(agent, b"x" * 65_536)


@mode
def no_kind(agent):
    ready(agent)
    agent.repeat([(frame(9, b"what") + control(b'{"type":"result"')) * 500], 1000)


def fuzzed(agent, chance):
    """A frame, mostly a valid one, in which up to two bits are flipped."""
    kind = chance.randrange(6)
    if kind == 0:
        whole = packet(agent.me, chance.randrange(65536), agent.hosts["good"], ECHO, chance.getrandbits(32))
    elif kind == 1:
        whole = event("routeSuggestion", {"ip": ["10.77.0.%d" % chance.randrange(256)], "route": agent.shown("good2")})
    elif kind == 2:
        whole = problems(chance.randrange(4), "fuzz")
    elif kind == 3:
        whole = frame(chance.randrange(4), chance.randbytes(chance.randrange(100)))
    elif kind == 4:
        whole = control({"type": "result", "body": {"request_id": chance.randrange(20), "op": "ping"}})
    else:
        flags = chance.randrange(64)
        whole = packet(agent.me, 9, agent.hosts["laptop"], chance.choice([ECHO, DNS]), 5, 5, flags, data=chance.randbytes(40))
    whole = bytearray(whole)
    # The length is seldom changed, because after a wrong length the rest of the stream cannot be decoded.
    for _ in range(chance.randrange(3)):
        whole[chance.randrange(4 if chance.random() < 0.99 else 0, len(whole))] ^= 1 << chance.randrange(8)
    return bytes(whole)


@mode
def fuzz(agent):
    chance = random.Random(time.time_ns())
    ready(agent)
    while True:
        agent.put(b"".join(fuzzed(agent, chance) for _ in range(50)), 50)


@mode
def fuzz_flows(agent):
    """Invalid segments of established flows. The service that checks bytes must receive only valid ones."""
    chance = random.Random(time.time_ns())
    text = pattern(0, 200_000)

    def strange(flow, port):
        sent, got = flow
        at = max(1, sent + chance.randrange(-2_000, 40_000))
        data = text[at - 1 : at - 1 + chance.randrange(1_400)]
        kind = chance.randrange(8)
        to = (agent.hosts["laptop"], WITNESS)
        if kind == 0:  # Wrong bytes with a wrong sum.
            return packet(agent.me, port, *to, sent, got, ACK, data=chance.randbytes(99), spoil=1 + chance.randrange(65_000))
        if kind == 1:  # Wrong bytes far outside of the window.
            return packet(agent.me, port, *to, sent + (1 << 30) & 0xFFFFFFFF, got, ACK, data=chance.randbytes(99))
        if kind == 2:
            return packet(agent.me, port, *to, at, chance.getrandbits(32), ACK, chance.randrange(65536), data)
        if kind == 3:
            flags = chance.choice([SYN, SYN | ACK, ACK | PSH, 0, ACK | 32, SYN | FIN, 0x3F])
            return packet(agent.me, port, *to, sent - 1, got, flags)
        return packet(agent.me, port, *to, at, got, ACK | chance.choice([0, PSH]), chance.randrange(65536), data)

    def answer(flows, segment):
        if segment and segment.dport in flows:
            if segment.flags & RST:
                del flows[segment.dport]
            elif segment.ack > flows[segment.dport][0]:
                flows[segment.dport][0] = segment.ack
        for port, flow in list(flows.items())[:20]:
            if flow[0] > 150_000:
                del flows[port]
            agent.put(strange(flow, port), 1)
        if not flows:
            answer.base = 10_000 + (answer.base + 40) % 40_000
            flows.update(agent.open(40, agent.hosts["laptop"], WITNESS, answer.base))

    answer.base = 10_000
    flood_flows(agent, "laptop", WITNESS, 40, 0xFFFF, answer)


def in_a_flow(agent, to, port, make):
    """Opens one flow, and repeats the blocks that `make` returns."""
    ready(agent, drains=False)
    flows = agent.open(1, agent.hosts[to], port)
    agent.drain()
    for at, (sent, got) in flows.items():
        agent.repeat(*make(lambda seq, data=b"", flags=ACK: packet(agent.me, at, agent.hosts[to], port, seq, got, flags, data=data)))


@mode
def one_byte(agent):
    """A stream with one byte in each segment."""
    text = pattern(0, 100_000)
    in_a_flow(
        agent,
        "good",
        WITNESS,
        lambda make: ([b"".join(make(1 + n + k, text[n + k : n + k + 1]) for k in range(500)) for n in range(0, 100_000, 500)], 500),
    )


@mode
def out_of_order(agent):
    """Every second byte of the window, which makes more holes than a receiver remembers."""
    text = pattern(0, 60_000)
    in_a_flow(
        agent,
        "good",
        WITNESS,
        lambda make: ([b"".join(make(1 + n + k, text[n + k : n + k + 1]) for k in range(1, 600, 2)) for n in range(0, 60_000, 600)], 300),
    )


@mode
def overlaps(agent):
    """Segments that overlap."""
    text = pattern(0, 60_000)
    in_a_flow(agent, "good", WITNESS, lambda make: ([b"".join(make(1 + n, text[n : n + 900]) for n in range(1, 50_000, 100))], 500))


@mode
def acks(agent):
    """The same acknowledgment for ever, as if a segment had been lost."""
    in_a_flow(agent, "laptop", SOURCE, lambda make: ([make(1) * 1_000], 1_000))


@mode
def hold(agent):
    """Flows that stay open, to a service that does not read. Each needs an open file of its agent."""
    ready(agent, drains=False)
    for base in range(10_000, 11_500, 100):
        agent.open(100, agent.hosts["laptop"], DEAF, base)
    agent.drain()


@mode
def half_closed(agent):
    """Thousands of flows that only one side finishes."""
    ready(agent, drains=False)
    for base in range(1_024, 9_024, 500):
        for port, (sent, got) in agent.open(500, agent.hosts["good"], DEAF, base).items():
            agent.put(packet(agent.me, port, agent.hosts["good"], DEAF, sent, got, ACK | FIN), 1)
    agent.drain()


@mode
def results(agent):
    """Answers to questions that were not asked, or were answered already."""
    ready(agent)
    answers = [control({"type": "result", "body": {"request_id": n % 7, "op": "ping", "data": "x" * 400}}) for n in range(500)]
    agent.repeat([b"".join(answers)], 500)


def suggestion(agent, addresses):
    return event("routeSuggestion", {"ip": addresses, "route": agent.shown("good2")})


@mode
def suggestions(agent):
    """Route suggestions at the highest accepted rate."""
    ready(agent)
    number = 0
    while True:
        number += 1
        addresses = ["10.%d.%d.%d" % (78 + number // 16384 % 100, number // 64 % 256, n + number % 4 * 64) for n in range(64)]
        agent.put(suggestion(agent, addresses), 1)
        time.sleep(0.021)


@mode
def many_suggestions(agent):
    ready(agent)
    block = suggestion(agent, ["10.%d.%d.%d" % (78 + n // 65536, n // 256 % 256, n % 256) for n in range(60_000)])
    agent.repeat([block], 1)


@mode
def new_problems(agent):
    """Lists of problems of the greatest length, each different."""
    blocks = [problems(64, "%d " % n + "w" * 380) for n in range(50)]
    ready(agent)
    agent.repeat(blocks, 1)


@mode
def slow_problems(agent):
    """Different lists of problems, at a rate at which every change is reported."""
    ready(agent)
    for number in range(1 << 30):
        agent.put(problems(64, "%d " % number + "w" * 380), 1)
        time.sleep(0.1)


@mode
def drip(agent):
    """A frame of the largest size, written byte by byte as fast as possible."""
    ready(agent)
    while True:
        for byte in control(b" " * 200_000):
            agent.put(bytes([byte]), 1)


@mode
def huge_greeting(agent):
    """A greeting of the greatest length, and then many that are longer."""
    agent.real["body"]["data"]["more"] = [{"": 0}] * 8_000
    ready(agent)
    agent.real["body"]["data"]["more"] *= 15
    agent.repeat([control(agent.real)], 1)


@mode
def dies(agent):
    """Sends a greeting, and ends."""
    ready(agent)
    agent.put(b"", 1)
    os._exit(1)


@mode
def probes(agent):
    """Answers every question with a long text."""
    agent.real["body"]["data"]["features"] += ["heartbeat", "probe"]
    agent.greet()
    for come in agent.frames():
        if come[0] == CONTROL:
            body = line.json.loads(come[1])["body"]
            long = {"cause": "other", "reason": "\x1b[31m" * 100_000} if os.path.exists(agent.place + ".go") else None
            answer = {"request_id": body["id"], "op": body["op"], "error": None, "data": long}
            agent.put(control({"type": "result", "body": answer}), 1)


def main():
    name, place, *command = sys.argv[1:]
    MODES[name](line.Line(place, command))
    # The attack is over. The process stays until its standard input ends.
    select.select([], [], [])


main()
