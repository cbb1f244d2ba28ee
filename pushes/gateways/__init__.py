"""What a gateway says about one message: `Sent`, or a failure that says what it means for us.

    Failure
    ├── Later          their trouble or the road's: try again
    ├── Never          this message will not be taken, whoever asks again
    ├── DeadAddress    the phone cannot be reached under this push token any more
    └── Misconfigured  our trouble: credentials, addresses. Somebody must be woken

Each carries the provider's own code, for the row and the log. No failure carries a token, a number or a text.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from ansim.lib.transfers import Answer, Broken, Call, Transfers
from pushes.models import Message

CONNECT_TIMEOUT = 2.0  # seconds; the provider's answer itself may take settings.GATEWAY_TIMEOUT
CONNECTIONS = 4  # at most, to one provider over HTTP/2: each carries hundreds of pushes
PLAIN_CONNECTIONS = 64  # to one without TLS, and so without HTTP/2 (the simulated world): each carries one


@dataclass(frozen=True)
class Sent:
    """The provider has taken it; under this id it knows the message."""

    provider_id: str


class Failure(Exception):
    """The message was not taken."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Later(Failure):
    """No answer, or one that will change. `retry_after`: seconds the provider asked us to wait."""

    def __init__(self, code: str, *, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.retry_after = retry_after


class Never(Failure):
    pass


class DeadAddress(Failure):
    pass


class Misconfigured(Failure):
    """`final`: this message is lost all the same, because the contract says that such a refusal ends it."""

    def __init__(self, code: str, *, final: bool = False) -> None:
        super().__init__(code)
        self.final = final


def connections(url: str, *, timeout: float, ca_file: str = "") -> Transfers:
    """Those of this process to that provider of pushes; `timeout` in seconds for a whole push."""
    streams = url.startswith("https:")
    most = CONNECTIONS if streams else PLAIN_CONNECTIONS
    return Transfers(
        seconds=timeout, connect_seconds=CONNECT_TIMEOUT, connections=most, ca_file=ca_file, streams=streams
    )


class Streams(Protocol):
    """A gateway that takes one POST for each message, many at once. Nothing in it waits, but for fresh credentials."""

    def call(self, message: Message) -> Call | Sent:
        """What to post; `Sent` where that is all. Raises Failure without an address, or without credentials of ours."""

    def heard(self, said: Answer | Broken) -> Sent:
        """What it means. Raises Failure."""

    def transfers(self) -> Transfers:
        """The connections of this process."""


def retry_after(header: str | None) -> float | None:
    """Seconds of a `Retry-After` (RFC 9110, section 10.2.3: seconds or a date); None where it says nothing usable."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return float(header)
    try:
        then = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max((then.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)
