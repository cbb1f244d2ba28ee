"""웹훅을 받아 서명을 확인 · Receive webhooks and check their signature. Standard library only."""

import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = os.environ["WEBHOOK_SECRET"]  # whsec_…
OLDEST = 5 * 60  # seconds


def verify(secret, headers, body):
    """The event, when the signature is ours and fresh; else ValueError. `body` are the bytes as they came."""
    message_id, sent_at = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(sent_at)) > OLDEST:
        raise ValueError("too old, or your clock is wrong")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{sent_at}.".encode() + body
    ours = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    theirs = [one.removeprefix("v1,") for one in headers["webhook-signature"].split()]
    if not any(hmac.compare_digest(ours, one) for one in theirs):
        raise ValueError("not signed by Ansim")
    return json.loads(body)


class Door(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = verify(SECRET, self.headers, body)
        except (ValueError, TypeError, AttributeError) as why:
            self.send_error(400, str(why))
            return
        # 같은 소식이 두 번 올 수 있어요 · the same webhook-id may come twice: remember the ones you have seen
        print(event["type"], event["data"]["id"], event["data"]["reason"], flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Door).serve_forever()
