"""영수증 확인 · Check a receipt, with nothing of Ansim's but its published keys. pip install 'pyjwt[crypto]'"""

import os
import sys

import jwt

ANSIM = os.environ.get("ANSIM", "http://127.0.0.1:8000")
PARTNER = os.environ["ANSIM_PARTNER"]  # your own id: the receipt was made for you


def check(receipt):
    """Its claims; jwt.InvalidTokenError when it is not ours or not for you."""
    if jwt.get_unverified_header(receipt)["typ"] != "ansim-receipt+jwt":
        raise jwt.InvalidTokenError("not a receipt")
    keys = jwt.PyJWKClient(f"{ANSIM}/.well-known/jwks.json")  # fetched again when a kid is new
    key = keys.get_signing_key_from_jwt(receipt)
    return jwt.decode(receipt, key, algorithms=["ES256"], audience=PARTNER, issuer=ANSIM)


print(check(sys.stdin.read().strip()))
