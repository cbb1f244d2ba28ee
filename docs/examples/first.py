"""0에서 첫 결과까지 · From zero to the first verified result. Nothing to install: Python's standard library.

ANSIM_KEY: sk_test_…   (make run: .run/demo.json > partners > key)
"""

import json
import os
import re
import time
import uuid
from urllib.request import Request, urlopen

ANSIM = os.environ.get("ANSIM", "http://127.0.0.1:8000")
WORLD = os.environ.get("WORLD", "http://127.0.0.1:8001")
KEY = os.environ["ANSIM_KEY"]
PHONE = os.environ.get("PHONE", "01030010002")


def ansim(method, path, body=None, **headers):
    headers |= {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"{ANSIM}/partner/v1{path}", data, headers, method=method)) as answer:
        return json.load(answer)


def texts():
    """The simulated phone: the numbers it got by SMS, newest first."""
    with urlopen(f"{WORLD}/world/sms?to={PHONE}") as answer:
        return [re.search(r" (\d{6}) ", text["text"])[1] for text in json.load(answer)]


before = len(texts())
# 1. 시작 · start
person = {"birthdate": "960229", "gender_digit": "2", "phone": PHONE}
asked = {"reference": f"order-{uuid.uuid4().hex}", "purpose": "login", "identity": person}
started = ansim("POST", "/verifications", asked, **{"Idempotency-Key": asked["reference"]})
# 2. 문자 · the text message arrives (in the sandbox you may read it)
while len(texts()) == before:
    time.sleep(0.2)
# 3. 확인 · what the person typed
ansim("POST", f"/verifications/{started['id']}/confirm", {"code": texts()[0]})
# 4. 결과 · who it is
print(json.dumps(ansim("GET", f"/verifications/{started['id']}"), ensure_ascii=False, indent=2))
