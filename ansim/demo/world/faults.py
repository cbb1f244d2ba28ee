"""How the world fails when told to (POST /world/faults). Kept in memory: a restarted world is a healthy one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from ansim.demo.world.body import BadInput


class Target(StrEnum):
    FCM = "fcm"
    APNS = "apns"
    SMS = "sms"
    CARRIER = "carrier"
    WEBHOOK = "webhook"


class Mode(StrEnum):
    OK = "ok"
    SLOW = "slow"
    ERROR = "error"
    DROP = "drop"
    REJECT_TOKEN = "reject_token"


@dataclass(frozen=True)
class Fault:
    """One order to fail. `count` None: until told "ok"."""

    target: Target
    mode: Mode
    count: int | None

    @classmethod
    def of(cls, given: dict[str, Any]) -> Self:
        """Refused (BadInput): unknown members and values, a count below 1, reject_token where there is no token."""
        if unknown := given.keys() - {"target", "mode", "count"}:
            raise BadInput(f"{min(unknown)}: unknown")
        if given.get("target") not in list(Target):
            raise BadInput(f"target: one of {', '.join(Target)}")
        if given.get("mode") not in list(Mode):
            raise BadInput(f"mode: one of {', '.join(Mode)}")
        count = given.get("count")
        if count is not None and (type(count) is not int or count < 1):
            raise BadInput("count: a whole number from 1, or left out")
        fault = cls(Target(given["target"]), Mode(given["mode"]), count)
        if fault.mode is Mode.REJECT_TOKEN and fault.target not in (Target.FCM, Target.APNS):
            raise BadInput("mode: only fcm and apns have tokens to reject")
        return fault


class Faults:
    def __init__(self) -> None:
        self._faults: dict[Target, Fault] = {}

    def order(self, fault: Fault) -> None:
        self._faults[fault.target] = fault

    def take(self, target: Target) -> Mode:
        """How this call goes. Uses up one of the count."""
        fault = self._faults.get(target)
        if fault is None:
            return Mode.OK
        if fault.count == 1:
            del self._faults[target]
        elif fault.count is not None:
            self._faults[target] = Fault(target, fault.mode, fault.count - 1)
        return fault.mode

    def current(self) -> list[dict[str, Any]]:
        healthy = {target: Fault(target, Mode.OK, None) for target in Target}
        return [
            {"target": fault.target, "mode": fault.mode, "count": fault.count}
            for fault in (healthy | self._faults).values()
        ]

    def clear(self) -> None:
        self._faults.clear()
