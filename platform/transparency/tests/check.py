#!/usr/bin/env python3
"""Checks that entries are in a log: with their proofs, the entries and the log's public key, and nothing else.

usage: check.py PROOF ENTRY KEY
       check.py PACK KEY

PROOF is a file in the form of https://c2sp.org/tlog-proof, ENTRY a file with the entry's bytes, PACK a file with entries
and proofs as its own report describes it, KEY the log's public key as NAME+ID+BASE64. Ends with 0 and a line on what was
found; with 1 and the reason where a proof does not hold. Whether the report of a pack tells the truth it does not look at.

Written from the specifications (C2SP tlog-proof, tlog-checkpoint and signed-note, RFC 6962) and from nothing of
Garrison, so that it can be checked by whoever does not trust Garrison. Needs `cryptography` for Ed25519.
"""

import base64
import binascii
import hashlib
import json
import re
import struct
import sys
import zipfile
import zlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LARGEST = 2 * 1024 * 1024
LARGEST_PACK = 160 * 1024 * 1024
PARTS = ["manifest.json", "log.vkey", "checkpoint", "records.ndjson", "proofs.ndjson", "report.html"]


class Refused(Exception):
    """Why the proof does not hold."""


def main(arguments):
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if len(arguments) == 3:
            proof, entry, key = arguments
            index, size, origin = check(read(proof).decode("utf-8"), read(entry), key)
            print(f"entry {index} of the {size} entries of {origin}")
        else:
            indexes, size, origin = check_pack(*arguments)
            print(f"entries {indexes} of the {size} entries of {origin}")
    except (Refused, OSError, UnicodeError) as reason:
        print(f"refused: {reason}", file=sys.stderr)
        return 1
    return 0


def check_pack(path, key):
    read(path, LARGEST_PACK)
    try:
        parts = unpack(path)
    except (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError) as reason:
        raise Refused(f"the file is no ZIP file that can be read: {reason}") from None
    manifest = parse_json(parts["manifest.json"], "manifest.json")
    digests = {name: sha256(parts[name]).hex() for name in PARTS[1:]}
    if manifest.get("format") != "garrison-evidence/1" or manifest.get("sha256") != digests:
        raise Refused("the parts are not those that the manifest names")
    if parts["log.vkey"].decode() != key + "\n":
        raise Refused("the pack is of another log")
    origin, size, root = parse_checkpoint(open_note(parts["checkpoint"].decode("utf-8"), *parse_key(key)))
    if origin != key.split("+")[0]:
        raise Refused(f"the checkpoint is of {origin!r}, not of the key's log")
    records = lines(parts["records.ndjson"], "records.ndjson")
    proofs = lines(parts["proofs.ndjson"], "proofs.ndjson")
    if not len(records) == len(proofs) == manifest.get("records"):
        raise Refused("there are not as many proofs as records, or as the manifest tells")
    indexes = []
    for record, proof in zip(records, proofs):
        proof = parse_json(proof, "a line of proofs.ndjson")
        index, hashes = proof.get("index"), proof.get("hashes")
        if not isinstance(hashes, list) or not all(isinstance(text, str) for text in hashes):
            raise Refused("a line of proofs.ndjson has no hashes")
        path = [decode(text, "a hash", 32) for text in hashes]
        if type(index) is not int or not 0 <= index < size or index in indexes:
            raise Refused(f"a log of {size} entries has no entry {index}, or it was there already")
        if climb(sha256(b"\x00" + record), index, size, path) != root or path:
            raise Refused(f"entry {index} and its proof do not lead to the root in the checkpoint")
        if parse_json(record, "a record").get("seq") != index + 1:
            raise Refused(f"entry {index} is another record by its own word")
        indexes.append(index)
    return indexes, size, origin


def unpack(path):
    """Into memory, and only what belongs to a pack."""
    with zipfile.ZipFile(path) as archive:
        if archive.namelist() != PARTS:
            raise Refused(f"the parts are not those of a pack: {archive.namelist()!r}")
        if sum(part.file_size for part in archive.infolist()) > LARGEST_PACK:
            raise Refused("the parts are longer than those of a pack")
        return {name: archive.read(name) for name in PARTS}


def lines(data, what):
    if not data.endswith(b"\n"):
        raise Refused(f"{what} does not end with a line break")
    return data[:-1].split(b"\n")


def parse_json(data, what):
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused(f"{what} is not JSON") from None
    if not isinstance(value, dict):
        raise Refused(f"{what} is not an object")
    return value


def check(text, entry, key):
    index, path, note = parse_proof(text)
    origin, size, root = parse_checkpoint(open_note(note, *parse_key(key)))
    if origin != key.split("+")[0]:
        raise Refused(f"the checkpoint is of {origin!r}, not of the key's log")
    if index >= size:
        raise Refused(f"a log of {size} entries has no entry {index}")
    rest = list(path)
    if climb(sha256(b"\x00" + entry), index, size, rest) != root or rest:
        raise Refused("the entry and the proof do not lead to the root in the checkpoint")
    return index, size, origin


def climb(leaf, index, size, path):
    """The root of a tree of this size, by RFC 6962, section 2.1.1: the last hash of the path is that below the root."""
    if size == 1:
        return leaf
    if not path:
        raise Refused("the proof has too few hashes")
    left = 1 << ((size - 1).bit_length() - 1)
    sibling = path.pop()
    if index < left:
        return sha256(b"\x01" + climb(leaf, index, left, path) + sibling)
    return sha256(b"\x01" + sibling + climb(leaf, index - left, size - left, path))


def parse_proof(text):
    before, blank, note = text.partition("\n\n")
    lines = before.split("\n")
    if not blank or lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise Refused("the file is not a proof")
    if lines and lines[0].startswith("extra "):
        decode(lines.pop(0)[len("extra "):], "the extra data")
    if not lines or not lines[0].startswith("index "):
        raise Refused("the proof has no index")
    index = number(lines.pop(0)[len("index "):], "the index")
    return index, [decode(line, "a line of the proof", 32) for line in lines], note


def parse_key(key):
    parts = key.split("+", 2)
    if len(parts) != 3:
        raise Refused("the key is not of the form NAME+ID+BASE64")
    name, identity, public = parts
    public = decode(public, "the key", 33)
    if public[0] != 1:
        raise Refused("the key is not an Ed25519 key")
    expected = sha256(name.encode() + b"\n" + public)[:4]
    if identity != expected.hex():
        raise Refused("the key's id is not that of its name and public key")
    return name, expected, public[1:]


def open_note(note, name, identity, public):
    """The text of a note that this key signed."""
    if any(character < " " and character != "\n" for character in note):
        raise Refused("the note has a control character in it")
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise Refused("the checkpoint is not a signed note")
    text += "\n"
    found = False
    for line in signatures[:-1].split("\n"):
        match = re.fullmatch(r"\u2014 ([^\s+]+) (\S+)", line)
        if not match:
            raise Refused(f"{line!r} is not a signature")
        signature = decode(match[2], "a signature")
        if len(signature) < 5:
            raise Refused(f"{line!r} is too short for a signature")
        if match[1] == name and signature[:4] == identity:
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], text.encode())
            except (InvalidSignature, ValueError):
                raise Refused("the signature of the checkpoint is wrong") from None
            found = True
    if not found:
        raise Refused("the checkpoint has no signature of the key")
    return text


def parse_checkpoint(text):
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise Refused("the note is not a checkpoint")
    return lines[0], number(lines[1], "the size"), decode(lines[2], "the root", 32)


def number(text, what):
    if not re.fullmatch(r"0|[1-9][0-9]{0,19}", text) or int(text) >= 2**64:
        raise Refused(f"{what} is not a number as it must be written: {text[:40]!r}")
    return int(text)


def decode(text, what, length=None):
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except binascii.Error:
        raise Refused(f"{what} is not base64") from None
    # Python forgives bits that belong to no byte.
    if not data or base64.b64encode(data).decode() != text:
        raise Refused(f"{what} is not base64 as it must be written")
    if length not in (None, len(data)):
        raise Refused(f"{what} has {len(data)} bytes instead of {length}")
    return data


def read(path, largest=LARGEST):
    with open(path, "rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise Refused(f"{path} has more than {largest} bytes")
    return data


def sha256(data):
    return hashlib.sha256(data).digest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
