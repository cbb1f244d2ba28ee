"""Who called: believed from our own proxies, from nobody else (docs/deployment.md)."""

import pytest

from ansim.lib.proxies import Proxied


def seen(remote, told=None, *, proxies=("10.0.0.0/24", "127.0.0.1", "fd00::/8"), **headers):
    """REMOTE_ADDR as the application sees it."""
    environ = {"REMOTE_ADDR": remote, **headers} | ({"HTTP_X_FORWARDED_FOR": told} if told is not None else {})
    Proxied(lambda environ, start: [], proxies=proxies)(environ, None)
    return environ["REMOTE_ADDR"]


def test_behind_our_proxy_it_is_who_the_proxy_names():
    assert seen("10.0.0.2", "203.0.113.7") == "203.0.113.7"
    assert seen("fd00::2", "2001:db8::7") == "2001:db8::7"


def test_what_the_caller_wrote_before_it_does_not_count():
    assert seen("10.0.0.2", "10.0.0.9, 198.51.100.1, 203.0.113.7") == "203.0.113.7"


def test_through_two_proxies_of_ours_it_is_who_came_to_the_first():
    assert seen("10.0.0.2", "198.51.100.1, 203.0.113.7, 10.0.0.3") == "203.0.113.7"


@pytest.mark.parametrize("told", ["203.0.113.7", "127.0.0.1", "10.0.0.2", "nonsense"])
def test_a_stranger_says_what_it_likes(told):
    assert seen("198.51.100.9", told) == "198.51.100.9"


@pytest.mark.parametrize("told", ["", "nonsense", "203.0.113.7:443, x", "203.0.113.7, ", "unknown", "10.0.0.3", None])
def test_our_proxy_that_says_nothing_clear_is_not_mistaken_for_a_caller(told):
    assert seen("10.0.0.2", told) in ("10.0.0.2", "203.0.113.7")
    if told != "203.0.113.7, ":
        assert seen("10.0.0.2", told) == "10.0.0.2"


def test_without_proxies_no_word_counts():
    assert seen("127.0.0.1", "203.0.113.7", proxies=()) == "127.0.0.1"


def test_a_stranger_cannot_claim_tls_either():
    environ = {"REMOTE_ADDR": "198.51.100.9", "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "evil"}
    Proxied(lambda environ, start: [], proxies=["10.0.0.0/24"])(environ, None)
    assert environ == {"REMOTE_ADDR": "198.51.100.9"}


def test_a_network_that_is_none_ends_the_start():
    with pytest.raises(ValueError, match="does not appear"):
        Proxied(lambda environ, start: [], proxies=["here"])
