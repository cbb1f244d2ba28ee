"""Nobody reaches a private network through a webhook, and nobody holds us longer than the deadline."""

import datetime
import ipaddress
import os
import queue
import socket
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansim.lib.outbound import Failure, Outbound, is_public
from ansim.lib.transfers import LARGEST_ANSWER
from tests.verification.endpoints import answering, saying

NAME = "hooks.bookshop.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for NAME, signed by itself: (server's context, the file that trusts it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    return server, str(file)


class Names:
    """A resolver: every name has these addresses. Remembers what it was asked."""

    def __init__(self, *addresses):
        self.addresses, self.asked = addresses, []

    def __call__(self, host, port):
        self.asked.append((host, port))
        return self.addresses


def post(outbound, url, seconds=2.0):
    """The one who asks is told once. Raises what it was told."""
    said = queue.SimpleQueue()
    outbound.post(url, content=b"{}", headers=["X-Word: first"], seconds=seconds, told=said.put)
    answer = said.get(timeout=seconds + 5)
    if isinstance(answer, Failure):
        raise answer
    return answer


def refusal(outbound, url, seconds=2.0):
    with pytest.raises(Failure) as refused:
        post(outbound, url, seconds)
    outbound.close()
    return refused.value.code


# --- Where to ---------------------------------------------------------------------------------------------------------

INSIDE = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.9.9",
    "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "fe80::1", "fe80::1%lo", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1",
    "3fff::1", "2001::1", "2001:20::1", "100::1", "64:ff9b:1::1", "5f00::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "2002:a00:1::1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
]  # fmt: skip
OUTSIDE = ["1.1.1.1", "93.184.216.34", "211.249.220.24", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101",
           "2002:101:101::1"]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_what_leads_inside_is_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_leads_outside_is_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_with_one_forbidden_address_is_refused_before_anything_is_sent(address):
    names = Names("93.184.216.34", address)

    assert refusal(Outbound(resolve=names), f"https://{NAME}/hooks") == "forbidden_address"

    assert names.asked == [(NAME, 443)]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.bookshop.example/", "ftp://hooks.bookshop.example/", "file:///etc/passwd", "//bookshop.example/",
        "https://", "https:///hooks", "https://user:password@bookshop.example/", "https://bookshop.example:22/",
        "https://bookshop.example:80/", "https://bookshop.example:1023/", "https://bookshop.example:99999/",
        "bookshop", "", "https://book shop.example/", "https://[fe80::1%25lo]/", "https://bookshop.example\r\n/", "http://127.0.0.1:8000/",
    ],
)  # fmt: skip
def test_only_https_to_a_usual_port_without_credentials(url):
    assert refusal(Outbound(resolve=Names("93.184.216.34")), url) == "forbidden_address"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "0",
     "169.254.169.254", "①②⑦.⓪.⓪.①"],
)  # fmt: skip
def test_no_spelling_of_a_forbidden_address_passes_the_systems_own_resolver(host):
    assert refusal(Outbound(), f"https://{host}:8443/") in ("forbidden_address", "unknown_host")


@pytest.mark.parametrize("url", ["http://bookshop.example/", "http://10.0.0.1:8000/", "http://127.0.0.1.example/"])
def test_the_demo_speaks_plain_http_to_loopback_only(url):
    assert refusal(Outbound(loopback=True, resolve=Names("127.0.0.1")), url) == "forbidden_address"


def test_the_demo_does_not_reach_private_networks_either():
    assert refusal(Outbound(loopback=True, resolve=Names("10.0.0.1")), f"https://{NAME}/") == "forbidden_address"


@pytest.mark.parametrize("url", ["https://127.0.0.1:{}/", "https://localhost.:{}/", "https://0x7f000001:{}/"])
def test_even_a_resolver_that_lies_leads_nowhere_inside(url):
    """What libcurl makes of an address is checked where it connects."""
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(0.2)
        outbound = Outbound(resolve=Names("93.184.216.34"))
        refusal(outbound, url.format(inside.getsockname()[1]), seconds=0.5)
        with pytest.raises(TimeoutError):
            inside.accept()


def test_what_a_name_resolves_to_is_asked_again_soon(monkeypatch):
    monkeypatch.setattr("ansim.lib.outbound.FRESH", 0.3)
    names = Names("127.0.0.1")
    outbound = Outbound(loopback=True, resolve=names)
    with answering(200) as endpoint:
        url = endpoint.url.replace("127.0.0.1", "localhost")
        for _ in range(3):
            post(outbound, url)
        assert len(names.asked) == 1
        time.sleep(0.4)
        names.addresses = ["10.0.0.1"]
        with pytest.raises(Failure, match="forbidden_address"):
            post(outbound, url)
    outbound.close()


def test_where_nobody_was_there_the_name_is_asked_again_at_once():
    names = Names("127.0.0.1")
    outbound = Outbound(loopback=True, resolve=names)
    for _ in range(2):
        with pytest.raises(Failure, match="unreachable"):
            post(outbound, "http://localhost:4999/")
    outbound.close()
    assert len(names.asked) == 2


# --- How --------------------------------------------------------------------------------------------------------------


def test_the_connection_goes_to_the_checked_address_and_the_name_stays(certificate):
    server, trust = certificate
    told = []
    server.sni_callback = lambda _socket, name, _context: told.append(name)
    with answering(200, tls=server) as endpoint:
        names = Names("127.0.0.1")
        port = int(endpoint.url.split(":")[2].split("/")[0])

        answer = post(Outbound(loopback=True, resolve=names, ca_file=trust), f"https://{NAME}:{port}/hooks?a=b")

    assert answer.status == 200
    assert names.asked == [(NAME, port)], "resolved once: nothing can be rebound in between"
    assert told == [NAME]
    ((headers, body),) = endpoint.heard
    assert (headers["host"], body) == (f"{NAME}:{port}", b"{}")


def test_a_certificate_of_somebody_else_is_refused(certificate):
    server, trust = certificate
    with answering(tls=server) as endpoint:
        url = endpoint.url.replace("127.0.0.1", "bank.example")
        assert refusal(Outbound(loopback=True, resolve=Names("127.0.0.1"), ca_file=trust), url) == "tls"
        unknown = endpoint.url.replace("127.0.0.1", NAME)
        assert refusal(Outbound(loopback=True, resolve=Names("127.0.0.1")), unknown) == "tls"
    assert endpoint.heard == []


def test_a_dead_address_leaves_the_next_one():
    with answering(200) as endpoint:
        outbound = Outbound(loopback=True, resolve=Names("::1", "127.0.0.1"))
        assert post(outbound, endpoint.url.replace("127.0.0.1", "localhost")).status == 200


def test_a_redirect_is_an_answer_and_is_not_followed():
    with answering() as inside, answering(307, headers=[("Location", inside.url)]) as endpoint:
        assert post(Outbound(loopback=True), endpoint.url).status == 307
    assert inside.heard == []


def test_proxies_of_the_environment_are_not_asked(monkeypatch):
    with answering(500) as proxy, answering(200) as endpoint:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert post(Outbound(loopback=True), endpoint.url).status == 200
    assert proxy.heard == []


def test_no_connection_leaves_anything_open():
    with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as url:
        outbound = Outbound(loopback=True)
        post(outbound, url)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(50):
            post(outbound, url)
        assert len(os.listdir("/proc/self/fd")) < before + 10
        outbound.close()


def test_no_cookie_is_brought_back():
    outbound = Outbound(loopback=True)
    with answering(200, headers=[("Set-Cookie", "a=b")]) as endpoint:
        for _ in range(2):
            post(outbound, endpoint.url)
        outbound.close()
    assert [headers for headers, _ in endpoint.heard if "cookie" in headers] == []


def test_connections_are_used_again():
    with answering(200, body=b"thanks") as endpoint:
        outbound = Outbound(loopback=True)
        for _ in range(3):
            post(outbound, endpoint.url)
        outbound.close()
    assert len(endpoint.callers) == 1
    assert len(endpoint.heard) == 3


# --- How long ---------------------------------------------------------------------------------------------------------

DROPS = [
    ([], {"then_hang": True}),
    ([bytes([letter]) for letter in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"], {"every": 0.2}),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", *[b"x"] * 900], {"every": 0.2}),
    ([b"HTTP/1.1 100 Continue\r\n\r\n"] * 900, {"every": 0.2}),
]


@pytest.mark.parametrize(("parts", "how"), DROPS, ids=["silence", "headers", "body", "100 Continue"])
def test_an_answer_drop_by_drop_ends_with_the_deadline(parts, how):
    began = time.monotonic()
    with saying(*parts, **how) as url:
        assert refusal(Outbound(loopback=True), url, seconds=0.7) == "timeout"
    assert 0.6 < time.monotonic() - began < 1.2


def test_a_handshake_that_never_ends_ends_with_the_deadline(certificate):
    began = time.monotonic()
    with saying(*[b"\x16\x03\x03\x40\x00"], every=0.1, then_hang=True) as url:
        https = url.replace("http:", "https:")
        assert refusal(Outbound(loopback=True, ca_file=certificate[1]), https, seconds=0.7) == "timeout"
    assert time.monotonic() - began < 1.2


def test_a_resolver_that_hangs_ends_with_the_deadline():
    def hangs(host, port):
        time.sleep(1.5)
        return ["127.0.0.1"]

    began = time.monotonic()
    assert refusal(Outbound(loopback=True, resolve=hangs), f"https://{NAME}/", seconds=0.5) == "timeout"
    assert time.monotonic() - began < 1.0


def test_the_time_that_a_name_took_is_part_of_the_call():
    def slow(host, port):
        time.sleep(0.6)
        return ["127.0.0.1"]

    began = time.monotonic()
    with saying(then_hang=True) as url:
        outbound = Outbound(loopback=True, resolve=slow)
        assert refusal(outbound, url.replace("127.0.0.1", "localhost"), seconds=0.9) == "timeout"
    assert time.monotonic() - began < 1.3


def test_an_endpoint_that_hangs_costs_nobody_else_the_connection():
    outbound = Outbound(loopback=True)
    with answering(200) as sound, saying(then_hang=True) as hanging:
        post(outbound, sound.url)
        with pytest.raises(Failure, match="timeout"):
            post(outbound, hanging, seconds=0.3)
        post(outbound, sound.url)
        outbound.close()
    assert len(sound.callers) == 1


def test_a_resolver_that_breaks_is_told_of_like_any_other(caplog):
    """Who is never told would keep the place of that delivery for ever."""
    assert refusal(Outbound(resolve=Names("no address")), f"https://{NAME}/") == "unknown_host"
    assert [line.getMessage() for line in caplog.records] == ["resolving_broke"]


def test_a_body_without_end_is_not_read_to_its_end():
    chunk = b"x" * 8192
    endless = [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", *[chunk] * 1000]
    outbound = Outbound(loopback=True)
    with saying(*endless, then_hang=True) as url:
        began = time.monotonic()
        assert post(outbound, url, seconds=5).status == 200
        assert post(outbound, url, seconds=5).status == 200, "by another connection"
        assert time.monotonic() - began < 2
    outbound.close()
    assert LARGEST_ANSWER == 65_536


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "dropped"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"], "dropped"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "dropped"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000], "dropped"),
    ],
)
def test_what_is_no_answer_is_dropped(parts, code):
    with saying(*parts) as url:
        assert refusal(Outbound(loopback=True), url) == code


def test_nobody_home_and_no_such_name():
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    assert refusal(Outbound(loopback=True), f"http://127.0.0.1:{port}/") == "unreachable"
    assert refusal(Outbound(loopback=True), f"http://[::1]:{port}/") == "unreachable"
    assert refusal(Outbound(resolve=Names()), f"https://{NAME}/") == "unknown_host"
    assert refusal(Outbound(), f"https://{'a' * 70}.example/") in ("unknown_host", "forbidden_address")
    assert refusal(Outbound(), "https://nowhere.invalid/", seconds=5) in ("unknown_host", "timeout")
