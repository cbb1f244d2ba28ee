"""0에서 첫 결과까지 · From zero to the first verified result. Standard library only."""

import json
import os
import uuid
from urllib.request import Request, urlopen

ANSIM = os.environ.get("ANSIM", "http://127.0.0.1:8000")
KEY = os.environ["ANSIM_KEY"]


def ansim(method, path, body=None, **headers):
    headers |= {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"{ANSIM}/partner/v1{path}", data, headers, method=method)) as answer:
        return json.load(answer)


# 1. 시작 · start. 010-0000-0001 is a magic number: it needs no phone
person = {"birthdate": "900505", "gender_digit": "1", "phone": "010-0000-0001"}
asked = {"reference": f"order-{uuid.uuid4().hex}", "purpose": "login", "identity": person}
started = ansim("POST", "/verifications", asked, **{"Idempotency-Key": asked["reference"]})
# 2. 사람이 번호를 입력 · the person types the number; a magic number's is always 123456
ansim("POST", f"/verifications/{started['id']}/confirm", {"code": "123456"})
# 3. 결과 · who it is
print(json.dumps(ansim("GET", f"/verifications/{started['id']}"), ensure_ascii=False, indent=2))
