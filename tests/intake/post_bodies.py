"""Posts bodies of all kinds and tells what was answered: URL CA TOKEN SOURCE."""

import gzip
import http.client
import json
import ssl
import sys
import zlib
from urllib.parse import urlsplit

import zstandard

url, ca, token, source = sys.argv[1:]
tls = ssl.create_default_context(cafile=ca)
MIB = 1 << 20
answers = {}


def post(name, body, packed=None, by=f"Bearer {token}", to=source):
    connection = http.client.HTTPSConnection(urlsplit(url).netloc, context=tls, timeout=60)
    headers = {"content-type": "text/plain"}
    if by:
        headers["authorization"] = by
    if packed:
        headers["content-encoding"] = packed
    connection.request("POST", f"/api/v1/intake/{to}", body, headers)
    answer = connection.getresponse()
    answers[name] = [answer.status, json.loads(answer.read() or b"null")]
    connection.close()


def lines(kind, count=50):
    return "".join(f"<13>1 - host {kind} - - - number={number:05}\n" for number in range(count)).encode()


post("plain", lines("plain"))
post("gzip", gzip.compress(lines("gzip")), "gzip")
post("two gzip members", gzip.compress(lines("gzip2")) + gzip.compress(lines("gzip2")), "gzip")
post("deflate", zlib.compress(lines("deflate")), "deflate")
post("zstd", zstandard.compress(lines("zstd")), "zstd")
post("json list", json.dumps([{"program": "list", "n": n} for n in range(50)]).encode())
post("empty", b"")

post("not gzip", b"plain text", "gzip")
post("cut gzip", gzip.compress(lines("cut"))[:-12], "gzip")
post("unknown packing", lines("br"), "br")
post("too large", b"x\n" * (6 * MIB) + b"x")
post("gzip bomb", gzip.compress(b"\0" * (256 * MIB), 1), "gzip")
post("zstd bomb", zstandard.compress(b"\0" * (256 * MIB)), "zstd")

at_most = b"<13>1 - host longest - - - "
at_most += b"x" * (MIB - len(at_most))
post("as long as may be", at_most + b"\n")
post("one too long", lines("before", 1) + at_most + b"x\n" + lines("after", 1))

post("nobody", lines("nobody"), by=None)
post("wrong token", lines("wrong"), by="Bearer gtk_x.y.z")
post("another scheme", lines("scheme"), by=f"Basic {token}")
post("no such source", lines("nowhere"), to="nowhere")
post("no name of a source", lines("nowhere"), to="%00%2f..")
post("after all", lines("last", 1))
print(json.dumps(answers))
