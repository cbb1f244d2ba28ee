"""One HTTP call at a time, by libcurl, for whoever waits for the answer: each thread keeps a connection of its own.

Every verification makes such calls, and libcurl needs a quarter of what the Python clients need (docs/adr/0035). Many
calls at once without waiting are `ansim.lib.transfers`.
"""

import io
import threading

import certifi
import pycurl

from ansim.lib.transfers import CODES, LARGEST_ANSWER, Answer, Broken, headers_of


class Caller:
    """POSTs to one service, with these headers (whole lines, "name: value"). `connect_seconds`: for the connection.

    Proxies of the environment are not asked, redirects not followed. A question that may be asked twice is asked again
    by itself when a kept connection was closed just then.
    """

    def __init__(self, *headers: str, connect_seconds: float) -> None:
        self._options = {
            pycurl.POST: 1,
            pycurl.HTTPHEADER: ["Expect:", *headers],
            pycurl.CAINFO: certifi.where(),
            pycurl.CONNECTTIMEOUT_MS: int(connect_seconds * 1000),
            pycurl.MAXFILESIZE: LARGEST_ANSWER,
            pycurl.NOPROXY: "*",
            pycurl.NOSIGNAL: 1,
        }
        self._own = threading.local()

    def ask(self, url: str, body: bytes, *, seconds: float) -> Answer:
        """Before `seconds` are over, also when the answer comes drop by drop. Raises `Broken`."""
        easy, head, answer = self._handle(), list[bytes](), io.BytesIO()
        easy.setopt(pycurl.URL, url)
        easy.setopt(pycurl.POSTFIELDS, body)
        easy.setopt(pycurl.TIMEOUT_MS, max(int(seconds * 1000), 1))  # 0 would be for ever
        easy.setopt(pycurl.HEADERFUNCTION, head.append)
        easy.setopt(pycurl.WRITEDATA, answer)
        try:
            easy.perform()
        except pycurl.error as error:
            raise Broken(CODES.get(error.args[0], "unreachable")) from error
        return Answer(easy.getinfo(pycurl.RESPONSE_CODE), headers_of(head), answer.getvalue())

    def _handle(self) -> pycurl.Curl:
        known: pycurl.Curl | None = getattr(self._own, "easy", None)
        if known is not None:
            return known
        easy = self._own.easy = pycurl.Curl()
        for option, value in self._options.items():
            easy.setopt(option, value)
        return easy
