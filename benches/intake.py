"""Measures intake and search of a running program beside DuckDB and chDB, and kills it, for `cargo xtask bench intake`.

usage: intake.py GARRISON EVENTS   (the program, and how many events for the queries)

Everything happens on loopback in a temporary folder. One JSON object is printed; progress goes to standard error.
"""

import base64, hashlib, hmac, json, os, random, re, socket, struct, subprocess, sys, tempfile, threading, time
import urllib.request

from intake_queries import queries

CLOCK = os.sysconf("SC_CLK_TCK")
KILLS = 200


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A Garrison with its first administrator, who may also search and send."""

    def __init__(self, program):
        self.program, self.dir = program, tempfile.TemporaryDirectory(prefix="garrison-bench-")
        self.port, self.syslog = free(), free()
        home = self.dir.name + "/garrison"
        subprocess.run([program, "init", home, "--listen", f"127.0.0.1:{self.port}", "--tenant", "bench"],
                       check=True, capture_output=True)
        os.makedirs(home + "/garrison.d", exist_ok=True)
        with open(home + "/garrison.d/bench.toml", "w") as file:
            file.write(f'[server]\ntls = "off"\n[intake.syslog]\nudp = "127.0.0.1:{self.syslog}"\n'
                       f'tcp = "127.0.0.1:{self.syslog}"\n[log]\nlevel = "warn,garrison=info"\n')
        self.home, self.session = home, None
        self.start()
        self.enter()

    def launch(self):
        with open(self.dir.name + "/server.log", "a") as log:
            self.process = subprocess.Popen([self.program, "serve", "--config", self.home + "/garrison.toml"], stderr=log)

    def start(self):
        self.launch()
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5)
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(open(self.dir.name + "/server.log").read()[-2000:])

    def ask(self, method, path, body=None, raw=None, kind="application/json"):
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        request.add_header("content-type", kind)
        if self.session:
            request.add_header("authorization", "Bearer " + self.session)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.read()

    def post(self, path, body):
        return json.loads(self.ask("POST", path, body))

    def enter(self):
        said = open(self.dir.name + "/server.log").read()
        link = re.search(r"/activate/(\S+?)'?\s", said).group(1)
        profile = {"name": "bench", "full_name": "Bench", "email": "bench@example.org"}
        login = self.post("/api/v1/login/begin", {"invitation": link, "kind": "cli", "profile": profile})["login"]
        chosen = self.post("/api/v1/login/step", {"login": login, "new_password": "a bench lasts for some minutes"})
        secret = base64.b32decode(chosen["enrolment"]["secret"] + "=" * (-len(chosen["enrolment"]["secret"]) % 8))
        mac = hmac.new(secret, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
        at = mac[-1] & 15
        code = str((struct.unpack(">I", mac[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000).zfill(6)
        self.session = self.post("/api/v1/login/step", {"login": login, "code": code})["session"]
        me = json.loads(self.ask("GET", "/api/v1/whoami"))["id"]
        top = json.loads(self.ask("GET", "/api/v1/node"))["items"][0]["id"]
        for role in ("analyst", "sender"):
            self.post("/api/v1/grant/create", {"holder": me, "node": top, "role": role, "duty": "b", "reason": "b"})
        self.post("/api/v1/source/create", {"node": top, "name": "http", "purpose": "bench"})

    def rows(self, **asked):
        asked.setdefault("from", "7d")
        lines = self.ask("POST", "/api/v1/log/search", asked).splitlines()
        end = json.loads(lines[-1])["_end"]
        assert end["complete"], end
        return [json.loads(line) for line in lines[:-1]]

    def count(self):
        return self.rows(sql="SELECT count(*) AS n FROM logs")[0]["n"]

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK

    def resident(self):
        status = open(f"/proc/{self.process.pid}/status").read()
        return {name: int(re.search(name + r":\s+(\d+)", status).group(1)) // 1024 for name in ("VmRSS", "VmHWM")}

    def until(self, events, patience=900):
        since = time.time()
        while time.time() - since < patience:
            if self.count() >= events:
                return time.time()
            time.sleep(0.05)
        raise SystemExit(f"only {self.count()} of {events} events are found")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def lines(count, seed, width=400):
    """Syslog lines of about `width` bytes: logins, requests and chatter of 500 hosts."""
    rng = random.Random(seed)
    words = [hashlib.sha1(str(number).encode()).hexdigest()[:rng.randint(4, 10)] for number in range(4000)]
    for number in range(count):
        host, pid = f"host-{rng.randrange(500)}", rng.randrange(40000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        ip = f"10.{rng.randrange(200)}.{rng.randrange(250)}.{rng.randrange(250)}"
        if number % 4 == 0:
            text = f"<38>1 {stamp} {host} sshd {pid} - - Accepted publickey for user{rng.randrange(900)} from {ip} port {pid} ssh2: "
        elif number % 4 == 1:
            text = f"<134>1 {stamp} {host} nginx {pid} - - {ip} - - [22/Nov/2026:10:00:00 +0000] \"GET /item/{pid} HTTP/1.1\" 200 {pid} \"-\" \"Mozilla/5.0\" "
        else:
            text = f"<134>1 {stamp} {host} app {pid} - - level=info request={rng.randrange(10**9)} client={ip} "
        rest = width - len(text)
        while rest > 0:
            word = rng.choice(words)
            text += word + " "
            rest -= len(word) + 1
        yield text.rstrip() + "\n"


def pieces(count, seed, size=1000, width=400):
    batch = []
    for line in lines(count, seed, width):
        batch.append(line)
        if len(batch) == size:
            yield "".join(batch).encode()
            batch = []
    if batch:
        yield "".join(batch).encode()


def over_tcp(server, parts, connections=4):
    def send(mine):
        with socket.create_connection(("127.0.0.1", server.syslog)) as stream:
            for part in mine:
                stream.sendall(part)
    threads = [threading.Thread(target=send, args=(parts[place::connections],)) for place in range(connections)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]


def over_http(server, parts, connections=4):
    def send(mine):
        for place in range(0, len(mine), 4):
            server.ask("POST", "/api/v1/intake/http", raw=b"".join(mine[place:place + 4]), kind="text/plain")
    threads = [threading.Thread(target=send, args=(parts[place::connections],)) for place in range(connections)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]


def rate(server, send, parts, events, before):
    cpu, since = server.cpu(), time.time()
    send(server, parts)
    sent = time.time() - since
    done = server.until(before + events) - since
    used = server.cpu() - cpu
    return {"events": events, "seconds_until_sent": round(sent, 2), "seconds_until_found": round(done, 2),
            "events_per_second": round(events / done), "server_cpu_seconds": round(used, 1),
            "events_per_cpu_second": round(events / used), **server.resident()}


def latencies(server):
    found, alerted = [], []
    for number in range(20):
        word = f"needle{number}x{random.randrange(10**9)}"
        with socket.create_connection(("127.0.0.1", server.syslog)) as stream:
            since = time.time()
            stream.sendall(f"<38>1 2026-11-22T10:00:00Z {word} sudo - - - deploy : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/bash\n".encode())
            while not server.rows(query=f"host:{word}", **{"from": "5m"}):
                pass
            found.append(time.time() - since)
            while f'"{word}"'.encode() not in server.ask("GET", "/api/v1/alert?limit=50"):
                pass
            alerted.append(time.time() - since)
    middle = lambda numbers: round(sorted(numbers)[len(numbers) // 2], 3)
    return {"found_median_s": middle(found), "found_worst_s": round(max(found), 3),
            "alert_median_s": middle(alerted), "alert_worst_s": round(max(alerted), 3)}


def main():
    # It takes the server from here.
    from intake_kills import kills

    program, events = sys.argv[1], int(sys.argv[2])
    server = Server(program)
    try:
        result = measured(server, events)
    finally:
        # A server that is left behind holds standard output open, and whoever reads it would wait for ever.
        server.stop()
    say("kills")
    result["kills"] = kills(program, KILLS)
    say(result["kills"])
    print(json.dumps(result))


def measured(server, events):
    result = {"area": "intake"}
    say("latency")
    result["latency"] = latencies(server)
    say(result["latency"])
    before = server.count()
    for name, send in (("syslog_tcp", over_tcp), ("http", over_http)):
        count = 300_000
        parts = list(pieces(count, name, width=500))
        result[name] = rate(server, send, parts, count, before)
        before += count
        say(name, result[name])
    say("filling up to", events)
    while before < events:
        count = min(500_000, events - before)
        over_tcp(server, list(pieces(count, before)))
        before += count
        server.until(before)
        say(before, server.resident())
    with socket.create_connection(("127.0.0.1", server.syslog)) as stream:
        stream.sendall(b"<13>1 2026-11-22T10:00:00Z h app - - - the zebrafinch sings\n")
    server.until(before + 1)
    time.sleep(75)  # until all of it is in files
    result["resident_full"] = server.resident()
    lake, result["queries"] = queries(server)
    result["lake"] = {**lake, "events": before + 1, "bytes_per_event": round(lake["bytes"] / (before + 1), 1)}
    return result


if __name__ == "__main__":
    main()
