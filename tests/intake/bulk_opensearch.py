"""Sends 1,000 documents, with the token as a password: URL CA TOKEN INDEX."""

import json
import sys

from opensearchpy import OpenSearch, helpers

url, ca, token, index = sys.argv[1:]
client = OpenSearch(f"{url}/es", http_auth=("x", token), ca_certs=ca, timeout=60)
documents = ({"_index": index, "program": "os-py", "order": {"number": number}} for number in range(1_000))
taken, errors = helpers.bulk(client, documents, chunk_size=300, raise_on_error=False)
print(json.dumps({"taken": taken, "errors": errors}))
