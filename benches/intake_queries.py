"""The questions of `benches/intake.py`, put to a running Garrison, and to DuckDB and chDB on the same files.

usage: intake_queries.py duckdb|chdb   (SQL comes on standard input and answers go out, both as a line of JSON)

Each peer is a process of its own: chDB has threads that work also while it is asked nothing, and their CPU would be
counted as DuckDB's.
"""

import datetime, glob, json, os, resource, subprocess, sys, time

# For each, the SQL in Garrison, in DuckDB and in chDB: of the ways to say it there, the quickest that we found.
# DuckDB 2.0 has no `date_trunc` for nanoseconds with a zone, and the one for microseconds goes through the calendar of ICU,
# which takes five times as long as dividing. Without the plain word in front its pattern takes half as long again.
QUERIES = {
    "absent ip": ("SELECT count(*) AS n FROM logs WHERE src_ip = '198.51.100.77'",) * 3,
    "rare word": (
        "SELECT count(*) AS n FROM logs WHERE has(raw, 'zebrafinch')",
        "SELECT count(*) AS n FROM logs WHERE raw ILIKE '%zebrafinch%'"
        " AND regexp_matches(raw, '(?i)(^|[^a-z0-9])zebrafinch([^a-z0-9]|$)')",
        "SELECT count(*) AS n FROM logs WHERE hasTokenCaseInsensitive(raw, 'zebrafinch')",
    ),
    "histogram": (
        "SELECT date_trunc('minute', received) AS t, count(*) AS n FROM logs GROUP BY 1 ORDER BY 1",
        "SELECT make_timestamptz(epoch_ns(received) // 60000000000 * 60000000) AS t, count(*) AS n FROM logs"
        " GROUP BY 1 ORDER BY 1",
        "SELECT toStartOfMinute(received) AS t, count(*) AS n FROM logs GROUP BY 1 ORDER BY 1",
    ),
    "top users": ("SELECT \"user\", count(*) AS n FROM logs WHERE \"user\" IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",) * 3,
}
PEERS = ("duckdb", "chdb")
TURNS = 3


class Peer:
    """A program with its own process, and the files that it reads as `logs`."""

    def __init__(self, name, lake):
        self.table = {"duckdb": f"read_parquet('{lake}')", "chdb": f"file('{lake}', 'Parquet')"}[name]
        self.process = subprocess.Popen([sys.executable, __file__, name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, sql):
        print(json.dumps(sql.replace("FROM logs", "FROM " + self.table)), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"the peer ended with {self.process.wait()}")
        return json.loads(answer)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def ask_garrison(server, sql):
    cpu, since = server.cpu(), time.time()
    rows = server.rows(sql=sql)
    ms, cpu_ms = (time.time() - since) * 1000, (server.cpu() - cpu) * 1000
    return {"rows": [plain(row.values()) for row in rows], "ms": ms, "cpu_ms": cpu_ms}


def queries(server):
    """Asks all of them in turn, and answers what the files are and the middle of what each took."""
    lake = server.home + "/data/lake/**/*.parquet"
    files = glob.glob(lake, recursive=True)
    peers = {name: Peer(name, lake) for name in PEERS}
    results = {}
    for name, (ours, *theirs) in QUERIES.items():
        taken = {}
        for _ in range(TURNS):
            answers = {"garrison": ask_garrison(server, ours)}
            for (peer, program), sql in zip(peers.items(), theirs):
                answers[peer] = program.ask(sql)
            for who, answer in answers.items():
                same(name, answers["garrison"], who, answer)
                for key in ("ms", "cpu_ms"):
                    taken.setdefault(f"{who}_{key}", []).append(answer[key])
        results[name] = {key: round(sorted(values)[TURNS // 2], 1) for key, values in taken.items()}
        print(name, results[name], file=sys.stderr, flush=True)
    for peer in peers.values():
        peer.stop()
    return {"files": len(files), "bytes": sum(map(os.path.getsize, files))}, results


def same(name, own, who, answer):
    if own["rows"] != answer["rows"]:
        differ = [pair for pair in zip(own["rows"], answer["rows"]) if pair[0] != pair[1]]
        raise SystemExit(f"{name}: garrison answers {len(own['rows'])} rows and {who} {len(answer['rows'])}: {differ[:3]}")


def plain(row):
    """A row as text, with times in one notation, so that the answers of different programs can be compared."""
    return [moment(value) if isinstance(value, datetime.datetime) else time_of(str(value)) for value in row]


def moment(at):
    return at.astimezone(datetime.timezone.utc).isoformat()


def time_of(text):
    try:
        return moment(datetime.datetime.fromisoformat(text)) if "T" in text else text
    except ValueError:
        return text


def in_duckdb():
    import duckdb
    return lambda sql: duckdb.sql(sql).fetchall()


def in_chdb():
    import chdb
    connection = chdb.connect(":memory:")
    connection.query("SET date_time_output_format = 'iso'")
    return lambda sql: [json.loads(line) for line in str(connection.query(sql, "JSONCompactEachRow")).splitlines()]


def serve(name):
    """Answers what is asked, and what the whole process used for it."""
    run = {"duckdb": in_duckdb, "chdb": in_chdb}[name]()
    used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    for line in sys.stdin:
        sql = json.loads(line)
        cpu, since = used(), time.time()
        rows = run(sql)
        ms, cpu_ms = (time.time() - since) * 1000, (used() - cpu) * 1000
        print(json.dumps({"rows": [plain(row) for row in rows], "ms": ms, "cpu_ms": cpu_ms}), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
