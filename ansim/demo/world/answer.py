"""A vendor's answer on the wire, and how a fault changes it."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansim.demo.world.faults import Mode

SLOW = 5.0  # seconds


@dataclass(frozen=True)
class Answer:
    """`body` None: none at all."""

    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()


async def play(mode: Mode, answer: Answer) -> Answer | None:
    """None: cut the connection."""
    if mode is Mode.DROP:
        return None
    if mode is Mode.SLOW:
        await asyncio.sleep(SLOW)
    return answer
