"""Reads objects as an auditor does, with Tink alone, and seals some of its own: FOLDER.

`key` has the 32 bytes of the key. For each `plain-N` there is `ours-N`, sealed by Garrison to `object-N`; what it opens to
must be `plain-N`. Written are `theirs-N`, the same plaintext sealed by Tink. Tells on standard output which were opened.

Run it by `python -I`: otherwise this file is found in the place of the library of its name.
"""

import io
import json
import pathlib
import sys

import tink
from tink import proto_keyset_format, secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

TYPE = "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey"


def primitive(key):
    stream = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(key_value=key)
    stream.params.ciphertext_segment_size = 65_536
    stream.params.derived_key_size = 32
    stream.params.hkdf_hash_type = common_pb2.SHA256
    keyset = tink_pb2.Keyset(primary_key_id=1)
    entry = keyset.key.add(key_id=1, status=tink_pb2.ENABLED, output_prefix_type=tink_pb2.RAW)
    entry.key_data.type_url = TYPE
    entry.key_data.value = stream.SerializeToString()
    entry.key_data.key_material_type = tink_pb2.KeyData.SYMMETRIC
    handle = proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


def opened(aead, sealed, name):
    with aead.new_decrypting_stream(io.BytesIO(sealed), name.encode()) as stream:
        return stream.read()


def refused(aead, sealed, name):
    try:
        opened(aead, sealed, name)
    except tink.TinkError:
        return True
    return False


folder = pathlib.Path(sys.argv[1])
streaming_aead.register()
aead = primitive((folder / "key").read_bytes())
lengths = []
for file in folder.glob("plain-*"):
    length = file.name.removeprefix("plain-")
    plain, sealed = file.read_bytes(), (folder / f"ours-{length}").read_bytes()
    assert opened(aead, sealed, f"object-{length}") == plain, length
    assert refused(aead, sealed, "another object"), length
    assert refused(aead, sealed[:-1], f"object-{length}"), length
    assert refused(aead, sealed[:-1] + bytes([sealed[-1] ^ 1]), f"object-{length}"), length
    with (folder / f"theirs-{length}").open("wb") as out:
        with aead.new_encrypting_stream(out, f"object-{length}".encode()) as stream:
            stream.write(plain)
    lengths.append(int(length))
print(json.dumps(sorted(lengths)))
