"""The virtual phone's radio: the app API under the world's origin, unchanged."""

import httpx
import pytest


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/app/v1/verifications?a=%2F&b=%20"),
        ("POST", "/app/v1/devices"),
        ("PUT", "/app/v1/device"),
        ("DELETE", "/app/v1/releases/%E2%82%AC"),
        ("GET", "/app/v1/no-such-thing"),
        ("GET", "/app/v1/" + "x" * 9000),
    ],
)
def test_the_answer_is_the_services_own(world_url, site_url, method, path):
    headers = {"Authorization": "Proof a.b.c", "Content-Type": "application/json", "x-correlator": "radio-1"}

    direct = httpx.request(method, site_url + path, content=b"{ }", headers=headers)
    through = httpx.request(method, world_url + path, content=b"{ }", headers=headers)

    assert through.status_code == direct.status_code
    assert through.content == direct.content
    for name in ("content-type", "x-correlator", "cache-control", "etag", "www-authenticate", "allow"):
        assert through.headers.get(name) == direct.headers.get(name), name
    assert "date" in through.headers
    assert "set-cookie" not in through.headers
