#!/usr/bin/env python3
"""Kills a Garrison under load again and again: nothing that was answered may be lost or doubled, nor any alert.

usage: intake_kills.py GARRISON KILLS [--strace]

Six senders post over HTTP, and send nothing twice. Lives end by SIGKILL: at any moment, while the server starts, and
some of them just after files of the lake were written. With `--strace` a fault comes first, at some system call of a
life: the process is killed in it, or it fails by EIO or ENOSPC. One JSON object is printed; progress goes to standard
error.
"""

import collections, http.client, json, os, random, re, subprocess, sys, threading, time

from intake import Server, say

SENDERS = 6
# Events of a request. Every 20th request also brings a line that a starter rule matches, of a host of its own.
EVENTS, ALERTING = 40, 20
# Calls on files of the data folder, and at which of them at the latest the fault comes. Those that also serve sockets and
# clocks are only hit on the files that are known.
CALLS = {"fdatasync": 300, "pwrite64": 300, "pread64": 100, "openat": 10, "write": 60, "fsync": 3, "rename": 3, "unlink": 3}
SHARED = ("openat", "write")
FAULTS = ("signal=SIGKILL", "error=EIO", "error=ENOSPC")
# How long nothing more may come before what is missing counts as lost.
PATIENCE = 120


class Senders:
    """Threads that send until they are stopped, and know what was answered."""

    def __init__(self, server):
        self.server, self.stopped = server, threading.Event()
        self.events, self.hosts = set(), set()
        self.threads = [threading.Thread(target=self.send, args=(sender,)) for sender in range(SENDERS)]
        [thread.start() for thread in self.threads]

    def send(self, sender):
        request = 0
        while not self.stopped.is_set():
            request += 1
            events = [f"s{sender}r{request}e{number}" for number in range(EVENTS)]
            hosts = [f"al{sender}r{request}"] if request % ALERTING == 0 else []
            if self.post([f"<134>1 2026-11-22T10:00:00Z h{sender} app 1 - - id={event} some words" for event in events]
                         + [f"<38>1 2026-11-22T10:00:00Z {host} sudo - - - deploy : TTY=pts/0 ; PWD=/ ; USER=root ;"
                            " COMMAND=/bin/bash" for host in hosts]):
                self.events.update(events)
                self.hosts.update(hosts)
            else:
                time.sleep(0.02)

    def post(self, lines):
        try:
            self.server.ask("POST", "/api/v1/intake/http", raw="\n".join(lines).encode(), kind="text/plain")
            return True
        except (OSError, http.client.HTTPException):
            return False

    def stop(self):
        self.stopped.set()
        [thread.join() for thread in self.threads]


class Fault:
    """strace on a running server; the fault comes at a call that is chosen by chance."""

    def __init__(self, server, rng):
        call, most = rng.choice(list(CALLS.items()))
        what, when = rng.choice(FAULTS), rng.randint(1, most)
        # Names that do not exist yet do not harm: the log prepares its next file under the first of them.
        paths = [f"{server.home}/data/log/spare-{number}" for number in range(8)] + files(server.home + "/data")
        chosen = [word for path in paths for word in ("-P", path)] if call in SHARED else []
        # What fails once may fail for a while.
        step = rng.choice(("", "+1"))
        self.words = f"{call} {what} at {when}{step}"
        self.strace = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(server.process.pid), *chosen, "-e", f"trace={call}",
             "-e", f"inject={call}:{what}:when={when}{step}"], stderr=subprocess.DEVNULL)

    def end(self):
        """To be called when the server is dead: strace ends with it."""
        try:
            self.strace.wait(10)
        except subprocess.TimeoutExpired:
            self.strace.kill()
            self.strace.wait()


def files(folder):
    return [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]


def kill(server):
    server.process.kill()
    server.process.wait()


def live(server, rng, longest):
    """Lets the server live for a moment; one life in ten until there is a new file in the lake."""
    lake = server.home + "/data/lake"
    before = len(files(lake)) if rng.random() < 0.1 else None
    until = time.time() + (60 if before is not None else rng.uniform(0.05, longest))
    while time.time() < until and server.process.poll() is None:
        time.sleep(0.005)
        if before is not None and len(files(lake)) != before:
            time.sleep(rng.choice((0, 0.005, 0.02, 0.1, 1)))
            return


def killed(server, kills, traced=False, rng=random.Random(7)):
    """Kills the server so many times, and counts what is there at the end."""
    senders, ends = Senders(server), collections.Counter()
    try:
        for number in range(1, kills + 1):
            fault = Fault(server, rng) if traced else None
            live(server, rng, 4 if traced else 1.2)
            if fault:
                died = server.process.poll() is not None
                end = "died of it" if died else "took events" if senders.post(["id=last"]) else "refused events"
                ends[end] += 1
                say(number, fault.words + ":", end)
            kill(server)
            if fault:
                fault.end()
            if rng.random() < 0.1:
                server.launch()
                time.sleep(rng.uniform(0, 0.6))
                kill(server)
            server.start()
            if number % 20 == 0:
                say(number, "kills,", len(senders.events), "events answered")
    finally:
        senders.stop()
    kill(server)
    server.start()
    return {"kills": kills, **counted(server, senders), **({"ends": dict(ends)} if traced else {})}


def counted(server, senders):
    settle(server.count, lambda: len(senders.events))
    events, found = collections.Counter(), collections.Counter()
    for row in server.rows(sql="SELECT raw FROM logs"):
        events.update(re.findall(r"id=(s\d+r\d+e\d+)", row["raw"]))
        found.update(re.findall(r"(al\d+r\d+) sudo", row["raw"]))
    # What was kept and not answered must have its alert too.
    hosts = senders.hosts | set(found)
    alerts = settle(lambda: told(server), lambda: len(hosts))
    lost = [event for event in senders.events if not events[event]] + [host for host in senders.hosts if not found[host]]
    doubled = [name for name, times in (events + found).items() if times > 1]
    untold = [host for host in hosts if not alerts[host]]
    twice = [host for host in hosts if alerts[host] > 1]
    say("lost, doubled, without an alert, with two:", *(some[:5] for some in (lost, doubled, untold, twice)))
    return {"acknowledged": len(senders.events) + len(senders.hosts), "lost": len(lost), "doubled": len(doubled),
            "alerts": len(hosts), "alerts_lost": len(untold), "alerts_doubled": len(twice)}


def told(server):
    """How many events each host's alerts count."""
    alerts, page = collections.Counter(), "/api/v1/alert?limit=200"
    while page:
        answer = json.loads(server.ask("GET", page))
        for alert in answer["items"]:
            alerts[alert["entity"]] += alert["count"]
        page = answer.get("next") and f"/api/v1/alert?limit=200&cursor={answer['next']}"
    return alerts


def settle(look, least):
    """Looks until nothing more comes, and at least so much was seen or patience ends."""
    size = lambda seen: seen if isinstance(seen, int) else len(seen)
    seen, since = look(), time.time()
    while time.time() - since < (1 if size(seen) >= least() else PATIENCE):
        time.sleep(0.2)
        again = look()
        if size(again) != size(seen):
            since = time.time()
        seen = again
    return seen


def kills(program, count, traced=False):
    """The same with a server of its own, in a folder of its own."""
    server = Server(program)
    try:
        return killed(server, count, traced)
    finally:
        server.stop()


if __name__ == "__main__":
    print(json.dumps(kills(sys.argv[1], int(sys.argv[2]), "--strace" in sys.argv)))
