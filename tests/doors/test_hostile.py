"""Hostile input at the partner's door and around it: a clear error, nothing stored, nothing leaked."""

import http.client
import json
import uuid
from urllib.parse import urlsplit

import pytest

from tests.client.problem import refused
from tests.client.raw import exchange


@pytest.fixture
def stored(town, bookshop):
    """stored(): how many rows the bookshop's requests have left behind."""
    tables = ("verification_verification", "verification_mismatch")
    pk = bookshop.entry["id"]
    return lambda: [town.rows(f"SELECT count(*) FROM {table} WHERE partner_id = %s", pk)[0][0] for table in tables]


def ask(**more):
    return {"reference": uuid.uuid4().hex, "purpose": "login", **more}


# --- return_url -------------------------------------------------------------------------------------------------------

ORIGINS = [
    "https://{host}.evil.example/back", "https://evil.example/?{host}", "https://evil.example#{host}",
    "https://evil.example/https://{host}/", "//{host}/back", "///{host}/back", "https:{host}/back",
    "https:///{host}/back", "{host}/back", "ftp://{host}/back", "javascript://{host}/%0aalert(1)",
    "data:text/html,{host}", "{home}.evil.example/", "{home}evil.example/", "{home}@evil.example/",
    "{home}:pw@evil.example/", "https://user@{host}/", "https://user:pw@{host}/", "{scheme}://u:p@{host}/",
    "{home}\\@evil.example/", "{home}\\.evil.example/", "\\\\{host}/back", "{home}%2eevil.example/",
    "{home}%00.evil.example/", "{home}\x00/", "{home}\r\nLocation: https://evil.example/", "{home}\t/", "\t{home}/",
    " {home}/", "{home}/ back", "{home}/\u200bback", "{home}\u2044evil.example", "{home}./back", "{home}。/back",
    "{home}:1/back", "{home}:abc/", "{home}:-1/", "{home}:99999999/", "blob:{home}/x", "view-source:{home}/",
    "{scheme}:/{host}/", "https://[::1]/", "http://2130706433/", "http://0x7f.1/", "{scheme}://@{host}/",
    "{scheme}://:@{host}/",
]  # fmt: skip


@pytest.mark.parametrize("pattern", ORIGINS, ids=ascii)
def test_a_return_url_leads_only_to_a_registered_origin(create, bookshop, stored, pattern):
    home, before = bookshop.entry["return_origin"], stored()
    parts = urlsplit(home)
    url = pattern.format(home=home, host=parts.netloc, scheme=parts.scheme)
    refused(create(ask(return_url=url)), 400, "invalid", field="return_url")
    assert stored() == before


def test_a_path_that_names_somebody_else_stays_a_path(bookshop, town):
    """An open redirect inside the partner's own site is the partner's: we go to its origin, with its words escaped."""
    home = bookshop.entry["return_origin"]
    asked = bookshop.create(return_url=f"{home}//evil.example/?to=https://evil.example/%22%3E#x").json()
    browser = town.browser()
    browser.open(asked["window_url"])
    browser.press("cancel")
    (back,) = [link for link in browser.page.links.values() if "verification_id=" in link]
    assert back.startswith(f"{home}//evil.example/?to=https://evil.example/%22%3E&verification_id=")


@pytest.mark.parametrize(
    "domain",
    [
        "bookshop.example.evil.example", "evil.example/bookshop.example", "bookshop.example\x00",
        "bookshop.example\r\nX: y", "bооkshop.example", "BOOKSHOP.example", "bookshop.example.", "*", "%",
        "bookshop.example:443", "' OR 1=1 --",
        "https://bookshop.example", "xn--bkshop-0ta8g.example", "<script>alert(1)</script>", "a" * 254, "../",
        "\u202eelpmaxe",
    ],
    ids=ascii,
)  # fmt: skip
def test_an_agency_acts_only_for_its_registered_sites(town, domain, agency):
    count = "SELECT count(*) FROM verification_verification WHERE partner_id = %s"
    before = town.rows(count, agency.entry["id"])
    answer = agency.create(site={"domain": domain})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "site.domain")
    assert "script>" not in answer.text
    assert town.rows(count, agency.entry["id"]) == before


@pytest.fixture(scope="module")
def agency(town):
    return town.shop(agency=True)


# --- Host -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def to_host(town, bookshop):
    """to_host(value, target): POST a verification with that Host header (a list: several)."""
    at = urlsplit(town.base_url)

    def send(hosts, target="/partner/v1/verifications", method="POST", **headers):
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=10)
        body = json.dumps(ask()).encode() if method == "POST" else b""
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        given = {"Authorization": f"Bearer {bookshop.entry['key']}", "Idempotency-Key": uuid.uuid4().hex} | headers
        for name, value in given.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        for host in hosts:
            connection.putheader("Host", host)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    return send


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8810", "127.0.0.1.evil.example", "evil.example#127.0.0.1",
        "127.0.0.1@evil.example", "evil.example/127.0.0.1", "127.0.0.1:port", "127.0.0.1 evil.example",
        "[::ffff:127.0.0.1]", "2130706433", "",
        "127.0.0.1,evil.example", "%31%32%37.0.0.1",
    ],
    ids=repr,
)  # fmt: skip
def test_a_foreign_host_is_refused_everywhere_and_nothing_is_made(to_host, stored, host):
    before = stored()
    for target in ("/partner/v1/verifications", "/window/x", "/"):
        status, content = to_host([host], target)
        assert status == 400, (host, target, content[:200])
        assert b"evil" not in content
    assert stored() == before


def test_two_hosts_are_refused_and_an_absolute_form_does_not_replace_the_host(to_host, town, stored):
    own, before = urlsplit(town.base_url).netloc, stored()
    assert to_host([own, "evil.example"])[0] == 400
    assert to_host(["evil.example", own])[0] == 400
    assert to_host(["evil.example"], f"{town.base_url}/partner/v1/verifications")[0] == 400
    assert stored() == before


def test_our_addresses_are_those_of_base_url_whatever_a_caller_says(to_host, town):
    own, create = urlsplit(town.base_url), "/partner/v1/verifications"
    forwarded = {"X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "https", "Forwarded": "host=evil.example"}
    for host, target, headers in (
        (f"{own.hostname}:1", create, {}),
        (own.netloc, f"http://evil.example{create}", {}),
        (own.netloc, create, forwarded),
        (own.netloc, create, {"X_Original_URL": "/evil", "X_Forwarded_Port": "1", "X_Rewrite_URL": "/evil"}),
    ):
        status, content = to_host([host], target, **headers)
        assert status == 201
        assert json.loads(content)["window_url"].startswith(f"{town.base_url}/window/")


# --- x-correlator and the log ----------------------------------------------------------------------------------------

FORGED = '{"at": "x", "level": "error", "event": "forged"}'


@pytest.mark.parametrize(
    "value",
    [
        f"a\r\n {FORGED}", f"a\n{FORGED}", f"a\r{FORGED}", "a\r\nSet-Cookie: a=b", f'a", {FORGED}, "',
        "a\x0b{}", "a\x85b",
        "a%0d%0ab", "a\x1b[31m", "${jndi:ldap://evil.example}", "a\x00b",
    ],
    ids=ascii,
)  # fmt: skip
def test_a_correlator_forges_neither_a_header_nor_a_line_of_the_log(call, logged, stored, value):
    before = stored()
    answer = call("POST", "/partner/v1/verifications", ask() | {"purpose": "x"}, x_correlator=value.encode("latin-1"))
    assert answer.status == 400
    assert "set-cookie" not in answer.headers
    assert answer.headers.get("x-correlator", "") != value
    assert stored() == before
    events = [json.loads(line)["event"] for line in logged().splitlines() if line.startswith("{")]
    assert "forged" not in events


def test_an_address_forges_no_line_of_the_log(town, logged):
    mark = uuid.uuid4().hex
    exchange(town.base_url, "GET", f"/{mark}/%0a%7B%22event%22:%22forged%22%7D%0d%e2%80%a8{mark}")
    found = [line for line in logged().split("\n") if mark in line]
    assert [json.loads(line)["event"] for line in found] == ["request"]


# --- Big and deep -----------------------------------------------------------------------------------------------------


def test_ten_megabytes_are_refused(call, create, town, bookshop, stored):
    before, size = stored(), 10_000_000
    refused(create(b'{"reference": "' + b"r" * size + b'"}'), 413, "too_large")
    refused(call("POST", "/partner/v1/verifications", b"[" * size), 413, "too_large")
    asked, browser = bookshop.create().json(), town.browser()
    browser.open(asked["window_url"])
    cookies = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies}
    assert exchange(
        town.base_url, "POST", f"/window/at/{asked['id']}", body=b"name=" + b"a" * size, headers=headers
    ).status in (400, 403, 413)
    assert bookshop.end(asked["id"]) == ("created", None)
    assert stored() == [before[0] + 1, before[1]], "only the window that we opened ourselves"


@pytest.mark.parametrize("raw", [b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000], ids=len)
def test_a_hundred_thousand_levels_are_refused(create, stored, raw):
    before = stored()
    refused(create(raw), 413, "too_large")
    refused(create(b'{"identity": ' + raw[:30_000] + b"}"), 400, "malformed")
    inside = b'{"reference": "r", "purpose": "login", "identity": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    assert create(inside).status == 400
    assert stored() == before
