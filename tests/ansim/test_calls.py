"""One call at a time by libcurl, against a server that misbehaves."""

import contextlib
import socket
import threading
import time

import pytest

from ansim.lib.calls import Caller
from ansim.lib.transfers import LARGEST_ANSWER, Broken

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Word: first\r\n\r\n{}"
UNUSED = "http://127.0.0.1:1"  # nobody listens there


class Service:
    """Answers each request with what `answers` gives for its number, and notes whose connection it came over."""

    def __init__(self, answers):
        self.answers, self.requests, self.connections = answers, [], 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/ask"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):  # who asked has hung up
            while raw := connection.recv(65_536):
                self.requests.append(raw)
                if self.answers(connection, len(self.requests)) == "close":
                    return

    def close(self):
        self._listener.close()


@contextlib.contextmanager
def service(answers):
    made = Service(answers)
    try:
        yield made
    finally:
        made.close()


def good(connection, number):
    connection.sendall(GOOD)


@pytest.fixture
def caller():
    return Caller("Authorization: Bearer t", "Content-Type: application/json", connect_seconds=1.0)


def broken(caller, url, seconds=1.0):
    began = time.monotonic()
    with pytest.raises(Broken) as refused:
        caller.ask(url, b"{}", seconds=seconds)
    return refused.value.code, time.monotonic() - began


def test_it_posts_the_body_with_the_headers_and_reads_the_answer(caller):
    with service(good) as there:
        answer = caller.ask(there.url, b'{"phone": "+82"}', seconds=2)

    assert (answer.status, answer.body, answer.headers["x-word"]) == (200, b"{}", "first")
    head, body = there.requests[0].split(b"\r\n\r\n", 1)
    assert head.startswith(b"POST /ask HTTP/1.1\r\n")
    assert {b"Authorization: Bearer t", b"Content-Type: application/json"} <= set(head.split(b"\r\n"))
    assert body == b'{"phone": "+82"}'


def test_calls_of_a_thread_share_a_connection_and_each_thread_has_its_own(caller):
    with service(good) as there:
        for _ in range(3):
            caller.ask(there.url, b"{}", seconds=2)
        other = threading.Thread(target=lambda: [caller.ask(there.url, b"{}", seconds=2) for _ in range(3)])
        other.start()
        other.join()

    assert (len(there.requests), there.connections) == (6, 2)


def test_an_answer_that_comes_drop_by_drop_has_no_longer_than_one_that_does_not_come(caller):
    def drops(connection, number):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        for _ in range(50):
            connection.sendall(b"x")
            time.sleep(0.1)

    def silence(connection, number):
        time.sleep(5)

    for answers in (drops, silence):
        with service(answers) as there:
            code, took = broken(caller, there.url, seconds=0.5)
        assert code == "timeout"
        assert took < 3


@pytest.mark.parametrize("told", [True, False], ids=["with its length", "without"])
def test_an_endless_answer_is_not_read_to_its_end(caller, told):
    def endless(connection, number):
        length = f"Content-Length: {10 * LARGEST_ANSWER}\r\n" if told else ""
        connection.sendall(f"HTTP/1.1 200 OK\r\n{length}\r\n".encode() + b"x" * 10 * LARGEST_ANSWER)
        return "close"

    with service(endless) as there:
        assert broken(caller, there.url)[0] == "too_large"


def test_nobody_there_and_no_http_are_unreachable(caller):
    def nonsense(connection, number):
        connection.sendall(b"220 mail ready\r\n\r\n")
        return "close"

    assert broken(caller, UNUSED)[0] == "unreachable"
    with service(nonsense) as there:
        assert broken(caller, there.url)[0] == "unreachable"
    with service(lambda connection, number: "close") as there:
        assert broken(caller, there.url)[0] == "unreachable"


def test_a_kept_connection_that_was_closed_just_then_is_no_trouble(caller):
    def once_each(connection, number):
        if number != 2:
            connection.sendall(GOOD)
            return None
        return "close"  # the second comes over the first one's connection and is left without an answer

    with service(once_each) as there:
        caller.ask(there.url, b"{}", seconds=2)
        assert caller.ask(there.url, b"{}", seconds=2).status == 200

    assert len(there.requests) == 3


def test_a_redirect_is_an_answer_and_is_not_followed(caller):
    def elsewhere(connection, number):
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {UNUSED}\r\nContent-Length: 0\r\n\r\n".encode())

    with service(elsewhere) as there:
        assert caller.ask(there.url, b"{}", seconds=2).status == 302


def test_no_proxy_of_the_environment_hears_of_it(caller, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, UNUSED)
    with service(good) as there:
        assert caller.ask(there.url, b"{}", seconds=2).status == 200
