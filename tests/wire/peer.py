"""A provider that misbehaves on HTTP/2 as told, stream by stream; the simulated world knows only good manners there."""

import asyncio
import contextlib
import json
import ssl
import threading
from collections import Counter
from urllib.parse import unquote

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from hyperframe.frame import GoAwayFrame


class Apple:
    """Its words: the token is in the path, an answer of 200 has no body."""

    REASONS = {429: "TooManyRequests", 500: "InternalServerError", 503: "ServiceUnavailable"}

    @staticmethod
    def token(path, body):
        return unquote(path.removeprefix("/3/device/"))

    @classmethod
    def answer(cls, status):
        said = json.dumps({"reason": cls.REASONS[status]}).encode() if status != 200 else b""
        return [("apns-id", "A")], said


class Google:
    """Its words: the token is in the body, and so is the name that a message gets."""

    REASONS = {429: "QUOTA_EXCEEDED", 500: "INTERNAL", 503: "UNAVAILABLE"}
    FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"

    @staticmethod
    def token(path, body):
        assert path.startswith("/v1/projects/"), path
        return json.loads(body)["message"]["token"]

    @classmethod
    def answer(cls, status):
        said = {"name": "projects/ansim/messages/0:1700000000000000%0123456789abcdef"}
        if status != 200:
            said = {"error": {"code": status, "details": [{"@type": cls.FCM_ERROR, "errorCode": cls.REASONS[status]}]}}
        return [("content-type", "application/json; charset=UTF-8")], json.dumps(said).encode()


class Peer:
    """`behave(number)` says what happens to the so-many-th request (from 0): a name of one of `Line`'s deeds, or an
    answer's status. By device token `arrived` counts what was taken up and `answered` what was told 200."""

    def __init__(self, keys, behave, *, streams=1000, vendor=Apple):
        self.behave, self.streams, self.vendor = behave, streams, vendor
        self.arrived, self.answered = Counter(), Counter()
        self.number = self.most_at_once = 0
        self.lines = []
        self._keys = keys

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        listening = threading.Event()

        async def serve():
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(self._keys / "apns-server.pem", self._keys / "apns-server.key")
            tls.set_alpn_protocols(["h2"])
            self._server = await self._loop.create_server(lambda: Line(self), "127.0.0.1", 0, ssl=tls)
            self.port = self._server.sockets[0].getsockname()[1]
            listening.set()

        def work():
            self._loop.run_until_complete(serve())
            self._loop.run_forever()

        self._thread = threading.Thread(target=work)
        self._thread.start()
        assert listening.wait(5)
        return self

    def let_go(self, most):
        """Answers so many of those that each connection holds."""
        for line in self.lines:
            self._loop.call_soon_threadsafe(line.let_go, most)

    def __exit__(self, *_):
        async def end():
            self._server.close()
            for line in self.lines:
                line.transport.abort()
            await asyncio.sleep(0.05)
            self._loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self._loop)
        self._thread.join(5)
        self._loop.close()


class Line(asyncio.Protocol):
    """One connection to it."""

    def __init__(self, peer):
        self.peer, self.open, self.held = peer, {}, []  # open: [path, body], and the token when all of it is there
        self.gone = False
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))

    def connection_made(self, transport):
        self.transport = transport
        self.peer.lines.append(self)
        self.h2.initiate_connection()
        self.h2.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self.peer.streams})
        self.flush()

    def data_received(self, data):
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                self.open[event.stream_id] = [dict(event.headers)[b":path"].decode(), b""]
                self.peer.most_at_once = max(self.peer.most_at_once, len(self.open))
            elif isinstance(event, h2.events.DataReceived):
                self.open[event.stream_id][1] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamReset):
                self.open.pop(event.stream_id, None)
            elif isinstance(event, h2.events.StreamEnded):
                self.open[event.stream_id] = self.peer.vendor.token(*self.open[event.stream_id])
                self.act(event.stream_id)
        self.flush()

    def act(self, stream):
        if self.gone:
            return  # RFC 9113, section 6.8: what comes after a GOAWAY was never seen; nor is it when we hang
        self.peer.arrived[self.open[stream]] += 1
        said, self.peer.number = self.peer.behave(self.peer.number), self.peer.number + 1
        if isinstance(said, int):
            self.answer(stream, said)
        else:
            getattr(self, said)(stream)

    def answer(self, stream, status):
        token = self.open.pop(stream)
        self.peer.answered[token] += status == 200
        headers, said = self.peer.vendor.answer(status)
        self.h2.send_headers(stream, [(":status", str(status)), ("retry-after", "2"), *headers], end_stream=not said)
        if said:
            self.h2.send_data(stream, said, end_stream=True)

    def half(self, stream):
        """Taken, and the answer breaks off."""
        self.peer.answered[self.open.pop(stream)] += 1
        self.h2.send_headers(stream, [(":status", "200"), ("content-length", "9")])
        self.h2.send_data(stream, b"{")
        self.h2.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)

    def babble(self, stream, left=None):
        """An answer of unknown length, as fast as it is read, until nobody reads on."""
        if left is None:
            left = 8
            self.open.pop(stream)
            self.h2.send_headers(stream, [(":status", "200")])
        with contextlib.suppress(h2.exceptions.ProtocolError):
            if self.h2.local_flow_control_window(stream) >= 16_000:
                self.h2.send_data(stream, b"x" * 16_000)
                left -= 1
            self.flush()
            if left:
                asyncio.get_running_loop().call_later(0.01, self.babble, stream, left)

    def hold(self, stream):
        """Not answered before `Peer.let_go` or a GOAWAY that promises it."""
        self.held.append(stream)

    def let_go(self, most):
        for stream in self.held[:most]:
            self.answer(stream, 200)
        del self.held[:most]
        self.flush()

    def hang(self, stream):
        """This connection stays open, and never says anything again."""
        self.gone = True

    def reset(self, stream):
        self.open.pop(stream)
        self.h2.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)

    def refuse(self, stream):
        self.peer.arrived[self.open.pop(stream)] -= 1
        self.h2.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)

    def cut(self, stream):
        self.flush()
        self.transport.abort()

    def go_away(self, stream):
        """Answers the older half of what it holds, has never seen the younger, and hangs up."""
        self.gone, streams = True, [*self.held, stream]
        promised, unseen = streams[: len(streams) // 2], streams[len(streams) // 2 :]
        self.flush()
        self.transport.write(GoAwayFrame(0, last_stream_id=promised[-1], error_code=0).serialize())
        self.peer.arrived.subtract(self.open.pop(one) for one in unseen)
        for one in promised:
            self.answer(one, 200)
        self.flush()
        asyncio.get_running_loop().call_later(0.5, self.transport.close)  # at once would take answers along

    def flush(self):
        self.transport.write(self.h2.data_to_send())
