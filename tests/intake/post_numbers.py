"""Posts numbered lines from four threads and repeats what was not answered: URL CA TOKEN SOURCE BATCHES SIZE.

Tells on standard output after each answer how many batches were answered, and at the end which: those answered at the
first attempt, and those that had to be repeated. A batch whose answer was lost may have been kept twice; nothing in the
protocol lets a sender know.
"""

import http.client
import itertools
import json
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

url, ca, token, source, batches, size = sys.argv[1:]
batches, size = int(batches), int(size)
tls = ssl.create_default_context(cafile=ca)
lock, counter = threading.Lock(), itertools.count()
at_once, repeated = [], []


def send():
    connection = None
    while True:
        with lock:
            batch = next(counter)
        if batch >= batches:
            return
        numbers = range(batch * size, (batch + 1) * size)
        body = "".join(f"<13>1 - host numbers - - - number={number:06}\n" for number in numbers)
        attempts = 0
        while True:
            attempts += 1
            try:
                if connection is None:
                    connection = http.client.HTTPSConnection(urlsplit(url).netloc, context=tls, timeout=60)
                headers = {"authorization": f"Bearer {token}", "content-type": "text/plain"}
                connection.request("POST", f"/api/v1/intake/{source}", body, headers)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status == 200:
                    assert json.loads(text)["accepted"] == size, text
                    break
                # Anything but a request to come back would be a defect; the test reads it.
                assert answer.status in (429, 503), (answer.status, text)
            except (OSError, http.client.HTTPException):
                connection = None
            time.sleep(0.05)
        with lock:
            (at_once if attempts == 1 else repeated).append(batch)
            print(len(at_once) + len(repeated), flush=True)


threads = [threading.Thread(target=send) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"at_once": at_once, "repeated": repeated}))
