"""Two of each behind nginx, by the files in `deploy/`: both serve, one may die, all may be restarted (issue 8)."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import uuid
import warnings
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.client.partner import identity, told
from tests.client.phone import PhoneClient
from tests.client.world import until
from tests.deployment.cluster import Cluster
from tests.deployment.nginx import ROOT


@pytest.fixture(scope="module")
def cluster(town, tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("cluster"), town.handles())
    collect = {**made.env, "DEMO": "0", "WORLD_URL": "", "STATIC_ROOT": str(made.folder / "static")}
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=collect, check=True, capture_output=True)
    try:
        made.start()
        yield made
    finally:
        made.stop()


class Caller:
    """A partner outside: each request over a connection of its own."""

    def __init__(self, cluster, shop):
        self.http, self.shop = cluster.http(), shop

    def post(self, path, body=None, **headers):
        sent = {"Authorization": f"Bearer {self.shop.entry['key']}", **headers}
        return self.http.post(f"/partner/v1/verifications{path}", json=body, headers=sent)

    def create(self, person, key=None):
        body = {"reference": uuid.uuid4().hex, "purpose": "login", "identity": identity(person)}
        return self.post("", body, **{"Idempotency-Key": key or uuid.uuid4().hex})


@pytest.fixture
def caller(cluster, bookshop):
    made = Caller(cluster, bookshop)
    yield made
    made.http.close()


def verified(caller, world):
    someone = world.person()
    asked = caller.create(someone)
    assert asked.status_code == 201, asked.text
    right = caller.post(f"/{asked.json()['id']}/confirm", {"code": world.number(someone)})
    assert right.status_code == 200, right.text
    return asked.json()["id"]


def test_both_web_processes_and_both_workers_serve_one_stream_of_verifications(cluster, caller, world):
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: verified(caller, world), range(12)))

    for pk in done:
        until(lambda pk=pk: "verification.verified" in told(world.webhooks(caller.shop.entry), pk))
    for number in (0, 1):
        assert '"path": "/partner/v1/verifications"' in cluster.log(f"web{number}")
        assert '"event": "sent"' in cluster.log(f"worker{number}") or "webhook_heard" in cluster.log(f"worker{number}")


def test_the_app_s_road_goes_over_both_too(cluster, caller, town, world):
    member = town.member()
    member.http.close()
    member.http = cluster.http()
    asked = caller.create(member.person).json()

    assert caller.post(f"/{asked['id']}/confirm", {"code": member.number(asked["id"])}).json()["state"] == "verified"


def test_one_web_process_is_killed_and_the_stream_goes_on_until_the_other_is_killed_too(cluster, caller, world):
    someone = world.person()
    asked = caller.create(someone).json()
    number = world.number(someone)

    cluster.kill("web0")

    assert caller.post(f"/{asked['id']}/confirm", {"code": number}).status_code == 200
    for _ in range(6):
        verified(caller, world)

    cluster.kill("web1")

    away, page = caller.create(world.person()), caller.http.get("/faq", headers={"x-correlator": "mine"})
    for number in (0, 1):
        cluster.web(number)
    assert (away.status_code, away.json()["code"], away.headers["Retry-After"]) == (503, "unavailable", "5")
    assert away.headers["Content-Type"] == "application/problem+json"
    assert away.headers["x-correlator"]
    assert (page.status_code, page.headers["x-correlator"]) == (503, "mine")
    assert "잠시 후" in page.text
    until(lambda: all(_ready(bind) for bind in cluster.binds), seconds=30)


def _ready(bind):
    try:
        return httpx.get(f"http://{bind}/readyz", headers={"Host": "127.0.0.1"}, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_a_restart_of_one_after_the_other_loses_no_request(cluster, caller):
    answers, over = [], threading.Event()

    def ask():
        while not over.is_set():
            begun = caller.post("", {"reference": uuid.uuid4().hex, "purpose": "login"},
                                **{"Idempotency-Key": uuid.uuid4().hex})  # fmt: skip
            answers.append(begun.status_code)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in (0, 1):
        before = cluster.log(f"web{number}").count('"event": "request"')
        old = _children(cluster.processes[f"web{number}"].pid)
        os.kill(cluster.processes[f"web{number}"].pid, signal.SIGHUP)
        until(lambda number=number, old=old: _replaced(cluster, number, old), seconds=30)
        until(lambda number=number, n=before: cluster.log(f"web{number}").count('"event": "request"') > n, seconds=30)
    until(lambda: len(answers) > 10, seconds=30)
    over.set()
    for thread in threads:
        thread.join()

    assert set(answers) == {201}


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return set(listed.read().split())


def _replaced(cluster, number, old):
    now = _children(cluster.processes[f"web{number}"].pid)
    return now and not now & old


def test_the_application_sees_who_called_and_believes_no_header_of_theirs(cluster, town, world):
    """By an API key's allow-list: the caller is 127.0.0.1, whatever it says about itself."""
    wanted = town.shop()
    with cluster.http() as http:
        headers = {"Authorization": f"Bearer {wanted.entry['key']}"}
        page = http.get("/partner/v1/verifications", headers=headers)
        for liar in ({"X-Forwarded-For": "10.9.9.9"}, {"Forwarded": "for=10.9.9.9"}, {"X-Real-IP": "10.9.9.9"}):
            assert http.get("/partner/v1/verifications", headers={**headers, **liar}).status_code == page.status_code
    assert page.status_code == 200


def test_pages_carry_every_security_header(cluster):
    with cluster.http() as http:
        page = http.get("/")
    assert page.status_code == 200
    assert "max-age=31536000" in page.headers["Strict-Transport-Security"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Server"] == "nginx"
    assert "Content-Encoding" not in page.headers  # whatever nginx.conf says: its length would tell secrets (BREACH)


def test_static_files_come_from_nginx_for_good_where_their_name_says_their_content(cluster):
    manifest = json.loads((cluster.folder / "static" / "staticfiles.json").read_text())["paths"]
    with cluster.http() as http:
        hashed = http.get(f"/static/{manifest['css/ansim.css']}")
        helper = http.get("/static/js/ansim.js")
        outside = http.get("/static/../../key.pem")
    assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert hashed.headers["Content-Encoding"] == "gzip"
    assert hashed.headers["X-Content-Type-Options"] == "nosniff"
    assert helper.headers["Cache-Control"] == "public, max-age=300"
    assert outside.status_code in (400, 404)


def test_what_is_too_large_is_refused_in_the_doors_own_words(cluster, caller):
    large = caller.http.post(
        "/partner/v1/verifications",
        content=b"{" + b" " * 70_000 + b"}",
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {caller.shop.entry['key']}"},
    )
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    long = caller.http.get("/partner/v1/verifications?reference=" + "a" * 9_000)
    assert (long.status_code, long.json()["code"]) == (414, "uri_too_long")
    assert caller.http.post("/partner/v1/verifications", content=b" " * 200_000).status_code == 413


def test_plain_http_leads_people_on_and_refuses_programs(cluster):
    with httpx.Client(base_url=f"http://127.0.0.1:{cluster.plain_port}") as http:
        assert http.get("/faq").headers["Location"] == "https://127.0.0.1/faq"
        assert http.post("/partner/v1/verifications").status_code == 403


def test_old_tls_and_other_hosts_get_nothing(cluster):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", cluster.port)) as raw, pytest.raises((ssl.SSLError, OSError)):
        old.wrap_socket(raw)
    with cluster.http() as http, pytest.raises(httpx.RemoteProtocolError):
        http.get("/", headers={"Host": "elsewhere.example"})


def test_a_new_certificate_costs_no_request(cluster):
    """Whoever trusts both: somebody at every moment of the reload, until the new one is shown."""
    former, both = cluster.trust, ssl.create_default_context(cafile=str(cluster.folder / "cert.pem"))
    cluster.new_certificate()
    both.load_verify_locations(cafile=str(cluster.folder / "cert.pem"))
    answers, before = [], cluster.nginx.workers()

    def asked(trust):
        return httpx.get(f"{cluster.https}/livez", verify=trust, timeout=15).status_code

    def is_new():
        answers.append(asked(both))
        return not before & cluster.nginx.workers()

    assert before
    assert asked(former) == 200, "until nginx reads it the former one is shown"
    cluster.nginx.reload()
    until(is_new)

    assert set(answers) == {200}
    assert asked(cluster.trust) == 200
    with pytest.raises(httpx.ConnectError):
        asked(former)


def test_what_is_for_operators_is_not_for_the_world(cluster):
    with cluster.http() as http:
        assert [http.get(path).status_code for path in ("/metrics", "/readyz")] == [404, 404]
        assert http.get("/livez").status_code == 200


def test_slow_headers_are_cut_off_and_cost_no_thread(cluster, caller, world):
    """Twenty connections that say nothing: nginx holds them, the sixteen threads stay free."""
    silent = [socket.create_connection(("127.0.0.1", cluster.port)) for _ in range(20)]
    began = time.monotonic()
    verified(caller, world)
    assert time.monotonic() - began < 10
    for connection in silent:
        connection.close()


def test_no_log_of_nginx_holds_an_address(cluster):
    with cluster.http() as http:
        http.get("/window/secret-of-somebody")
    errors = cluster.folder / "nginx-errors.log"
    assert "secret-of-somebody" not in (errors.read_text() if errors.exists() else "")
    assert "secret-of-somebody" not in (cluster.folder / "log").read_text()
    assert "secret-of-somebody" not in (cluster.folder / "access.log").read_text()


def test_the_phone_s_proof_survives_the_proxy_letter_by_letter(cluster, town):
    """`htu` is the path and query exactly as sent: nginx passes them on unchanged."""
    member = town.member()
    phone = PhoneClient.__new__(PhoneClient)
    phone.__dict__.update(member.__dict__)
    phone.http = cluster.http()
    assert phone.call("GET", "/app/v1/partners?q=%EC%B1%85%20a+b").status_code == 200
    phone.http.close()
