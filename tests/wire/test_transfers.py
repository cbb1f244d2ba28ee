"""Calls over HTTP/2 to a provider that misbehaves: whoever started one hears of it once, and nothing is sent twice."""

import http.server
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from ansim.lib.transfers import Answer, Broken, Call, Transfers
from tests.client.world import until
from tests.wire.peer import Peer


@pytest.fixture
def keys():
    return Path(settings.APNS_CA_FILE).parent


@pytest.fixture
def transfers():
    made = Transfers(seconds=5, connect_seconds=2, connections=4, ca_file=settings.APNS_CA_FILE)
    yield made
    made.close()


def call(peer, token="t"):
    return Call(f"https://127.0.0.1:{peer.port}/3/device/{token}", ["content-type: application/json"], b"{}")


def all_at_once(transfers, peer, count):
    """What was told about each of so many calls."""
    heard, all_heard = [[] for _ in range(count)], threading.Semaphore(0)
    for turn in range(count):
        transfers.start(call(peer, f"t{turn}"), lambda said, turn=turn: (heard[turn].append(said), all_heard.release()))
    for _ in range(count):
        assert all_heard.acquire(timeout=20)
    assert {len(said) for said in heard} == {1}, "each is told once"
    return [said for [said] in heard]


TROUBLES = {
    "go_away": lambda number: "hold" if number < 40 else "go_away" if number == 40 else 200,
    "cut": lambda number: "hold" if number < 40 else "cut" if number == 40 else 200,
    "reset": lambda number: "reset" if number % 3 == 0 else 200,
    "refuse": lambda number: "refuse" if number % 3 == 0 else 200,
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("used", [False, True])
def test_in_trouble_nothing_is_sent_twice_and_what_was_answered_is_heard(transfers, keys, trouble, used):
    with Peer(keys, lambda number: 200) as peer:
        if used:  # libcurl repeats by itself on a connection that was good before, unless it cannot
            transfers.make(call(peer, "earlier"))
        peer.number, peer.behave = 0, TROUBLES[trouble]
        heard = all_at_once(transfers, peer, 80)

        assert set(peer.arrived.values()) <= {0, 1}
        for turn, said in enumerate(heard):
            if isinstance(said, Answer):
                assert (said.status, peer.answered[f"t{turn}"]) == (200, 1)
        answered = sum(peer.answered[f"t{turn}"] for turn in range(80))
        heard_of = sum(isinstance(said, Answer) for said in heard)
        assert heard_of == answered or (trouble == "cut" and heard_of < answered)


def test_the_other_sides_limit_of_streams_is_kept(transfers, keys):
    with Peer(keys, lambda number: 200, streams=3) as peer:
        heard = all_at_once(transfers, peer, 60)

    assert {said.status for said in heard} == {200}
    assert peer.most_at_once <= 3


def test_many_calls_share_a_connection(transfers, keys):
    with Peer(keys, lambda number: 200) as peer:
        all_at_once(transfers, peer, 200)

        assert len(peer.lines) == 1


def test_a_connection_that_hangs_is_not_used_again(keys):
    transfers = Transfers(seconds=0.5, connect_seconds=0.5, connections=4, ca_file=settings.APNS_CA_FILE)
    with Peer(keys, lambda number: "hold") as peer:
        assert {said.code for said in all_at_once(transfers, peer, 20)} == {"timeout"}
        peer.behave = lambda number: 200
        until(lambda: all_at_once(transfers, peer, 1)[0].__class__ is Answer)  # a busy machine may need a second try

        assert len(peer.lines) >= 2
    transfers.close()


def test_a_certificate_of_nobody_we_trust_is_refused(keys):
    transfers = Transfers(seconds=5, connect_seconds=2, connections=4)
    with Peer(keys, lambda number: 200) as peer:
        with pytest.raises(Broken, match="tls"):
            transfers.make(call(peer))
        assert not peer.arrived
    transfers.close()


@pytest.mark.parametrize("broken", [{"headers": ["x: 안심"]}, {"url": "https://[::"}, {"url": "gopher:///"}])
def test_a_call_that_nobody_could_make_holds_up_nobody_else(transfers, keys, broken):
    with Peer(keys, lambda number: 200) as peer:
        with pytest.raises(Broken):
            transfers.make(replace(call(peer), **broken))
        assert transfers.make(call(peer)).status == 200


def test_who_listens_badly_holds_up_nobody_else(transfers, keys, caplog):
    def deaf(said):
        raise RuntimeError("a bug")

    with Peer(keys, lambda number: 200) as peer:
        transfers.start(call(peer), deaf)
        assert transfers.make(call(peer)).status == 200
    assert [line.getMessage() for line in caplog.records if line.name == "ansim.lib.transfers"] == ["nobody_was_told"]


def test_an_answer_without_end_is_not_read(transfers, keys):
    with Peer(keys, lambda number: "babble") as peer, pytest.raises(Broken, match="too_large"):
        transfers.make(call(peer))


def test_without_http2_each_call_has_a_connection(world_url):
    transfers = Transfers(seconds=5, connect_seconds=2, connections=8)
    order = Call(f"{world_url}/world/faults", [], b'{"target": "sms", "mode": "ok"}')
    heard = [transfers.make(order) for _ in range(3)]
    transfers.close()

    assert [(said.status, said.member("mode")) for said in heard] == [(200, "ok")] * 3
    assert heard[0].headers["content-type"].startswith("application/json")


def test_where_there_are_no_streams_one_slow_answer_holds_up_nobody_else():
    class Slow(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            if self.path == "/slow":
                released.wait(10)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    released = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    transfers = Transfers(seconds=40, connect_seconds=20, connections=32, streams=False)
    heard, fast = [], threading.Semaphore(0)
    try:
        for paths in (["fast"] * 4, ["slow", *["fast"] * 8]):
            heard.clear()
            for path in paths:
                there = Call(f"http://127.0.0.1:{server.server_port}/{path}", [], b"{}")
                transfers.start(there, lambda said, path=path: (heard.append(path), fast.release()))
            for _ in range(paths.count("fast")):
                assert fast.acquire(timeout=8), "they wait for the slow one"
        assert heard == ["fast"] * 8
    finally:
        released.set()
        transfers.close()
        server.shutdown()
        server.server_close()
