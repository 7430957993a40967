"""Sends 1,000 documents and one to an index that is not there: URL CA TOKEN INDEX."""

import json
import sys

from elasticsearch import AuthenticationException, Elasticsearch, helpers

url, ca, token, index = sys.argv[1:]
client = Elasticsearch(f"{url}/es", api_key=token, ca_certs=ca, request_timeout=60)


def documents():
    for number in range(1_000):
        if number == 500:
            yield {"_op_type": "create", "_index": "nowhere", "message": "lost"}
        yield {"_op_type": "create", "_index": index, "program": "es-py", "order": {"number": number}}


taken, errors = helpers.bulk(client, documents(), chunk_size=300, raise_on_error=False)
one = client.bulk(index=index, operations=[{"index": {}}, {"program": "es-py-one", "message": "by path"}])

stranger = Elasticsearch(f"{url}/es", api_key="gtk_x.y.z", ca_certs=ca)
try:
    stranger.bulk(index=index, operations=[{"index": {}}, {"message": "refused"}])
    refused = None
except AuthenticationException as error:
    refused = error.status_code

print(
    json.dumps(
        {
            "version": client.info()["version"]["number"],
            "taken": taken,
            "errors": [[item["create"]["_index"], item["create"]["status"]] for item in errors],
            "one": [one["errors"], len(one["items"])],
            "stranger": refused,
        }
    )
)
