"""Verifies a request as a receiver does, with the library of Standard Webhooks: SECRET, the request as JSON on stdin."""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

request = json.load(sys.stdin)
webhook = Webhook(sys.argv[1])
data = webhook.verify(request["body"], request["headers"])
try:
    webhook.verify(request["body"].replace("alert", "alarm"), request["headers"])
    changed = "taken"
except WebhookVerificationError:
    changed = "refused"
print(json.dumps({"data": data, "changed": changed}))
