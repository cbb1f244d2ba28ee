"""Who really called, behind our own proxies (TRUSTED_PROXIES; docs/deployment.md).

The address decides about an API key's allow-list, the desk's networks, guesses of passwords and activation codes, and
stands in the record of access. So it is never taken from a header that a stranger wrote: `X-Forwarded-For` counts only
from a connection of a proxy of ours, and of its entries the last one that is not such a proxy itself.
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
TOLD = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT")


class Proxied:
    """Around the WSGI application: puts the caller's address into REMOTE_ADDR.

    From anybody but a proxy of ours the forwarding headers are dropped, all of them: `X-Forwarded-Proto` too says
    something only where nginx set it.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], *, proxies: Sequence[str]) -> None:
        self.application = application
        self.proxies = [ipaddress.ip_network(network) for network in proxies]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self._is_ours(environ["REMOTE_ADDR"]):
            environ["REMOTE_ADDR"] = self._caller(environ["REMOTE_ADDR"], environ.get("HTTP_X_FORWARDED_FOR", ""))
        else:
            for name in TOLD:
                environ.pop(name, None)
        return self.application(environ, start_response)

    def _is_ours(self, address: str) -> bool:
        parsed = _address(address)
        return parsed is not None and any(parsed in network for network in self.proxies)

    def _caller(self, proxy: str, told: str) -> str:
        """The nearest address that is no proxy of ours; the proxy's own where none stands there or it is nonsense."""
        for entry in reversed([part.strip() for part in told.split(",") if part.strip()]):
            if _address(entry) is None:
                return proxy
            if not self._is_ours(entry):
                return entry
        return proxy


@lru_cache(maxsize=1_024)  # behind proxies all requests come from a few addresses
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
