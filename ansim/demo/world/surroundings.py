"""Where the world lives and which keys it holds, read once at the start; the place where it refuses to start."""

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import environ
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ansim.demo.world.google import ServiceAccount

ROOT = Path(__file__).resolve().parents[3]
GATEWAYS = ("FCM_URL", "SMS_URL", "CARRIER_URL", "APNS_HOST")
NAMES = (
    *("DATABASE_URL", "BASE_URL", "WORLD_PORT", *GATEWAYS),
    *("APNS_PORT", "APNS_KEY_FILE", "APNS_KEY_ID", "APNS_TEAM_ID", "APNS_TOPIC", "FCM_CREDENTIALS"),
    *("SMS_TOKEN", "CARRIER_TOKEN", "CARRIER_EVENTS_SECRET"),
)


class Unfit(Exception):
    """The world may not or cannot run here; the words are for the person who started it."""


@dataclass(frozen=True)
class Apple:
    """What Apple would know of us: the public half of our key and the names that belong to it."""

    key: EllipticCurvePublicKey
    key_id: str
    team_id: str
    topic: str


@dataclass(frozen=True)
class Surroundings:
    database_url: str
    base_url: str
    port: int
    apns_port: int
    smtp_port: int | None
    """None: an environment of before there was mail."""
    apns_certificate: Path
    apns_certificate_key: Path
    apple: Apple
    service_account: ServiceAccount
    sms_token: str
    carrier_token: str
    carrier_events_secret: str

    @classmethod
    def read(cls) -> Self:
        """From the environment and `$RUN_DIR/env`, where the real environment wins. Refuses (Unfit) to start outside
        the demo, beside a live gateway, with a name unset or a key file missing."""
        process = os.environ
        run_dir = Path(process.get("RUN_DIR", str(ROOT / ".run")))
        if (run_dir / "env").is_file():
            environ.Env.read_env(run_dir / "env")
        _refuse_outside_the_demo(process)
        files = {name: run_dir / "keys" / name for name in ("apns-server.pem", "apns-server.key")}
        for path in (*files.values(), Path(process["FCM_CREDENTIALS"]), Path(process["APNS_KEY_FILE"])):
            if not path.is_file():
                raise Unfit(f"the file {path} is missing: `make run` makes it.")
        return cls(
            database_url=process["DATABASE_URL"],
            base_url=process["BASE_URL"].rstrip("/"),
            port=_port(process, "WORLD_PORT"),
            apns_port=_port(process, "APNS_PORT"),
            smtp_port=_port(process, "SMTP_PORT") if process.get("SMTP_PORT") else None,
            apns_certificate=files["apns-server.pem"],
            apns_certificate_key=files["apns-server.key"],
            apple=_apple(process),
            service_account=_service_account(Path(process["FCM_CREDENTIALS"])),
            sms_token=process["SMS_TOKEN"],
            carrier_token=process["CARRIER_TOKEN"],
            carrier_events_secret=process["CARRIER_EVENTS_SECRET"],
        )


def _refuse_outside_the_demo(process: Mapping[str, str]) -> None:
    if process.get("DEMO", "").lower() not in environ.Env.BOOLEAN_TRUE_STRINGS:
        raise Unfit("DEMO is not set: the simulated world runs in the demo and in tests only.")
    if unset := [name for name in NAMES if not process.get(name)]:
        raise Unfit(f"not set: {', '.join(unset)}. Set them in the environment or in $RUN_DIR/env.")
    for name in [*GATEWAYS, *(["EMAIL_URL"] if process.get("EMAIL_URL") else [])]:
        host = urlsplit(process[name]).hostname if "//" in process[name] else process[name]
        if not _is_loopback(host or ""):
            raise Unfit(f"{name} names {host}, which is not this machine: the world never runs beside a live gateway.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _port(process: Mapping[str, str], name: str) -> int:
    if not process[name].isdecimal() or not 0 < int(process[name]) < 65_536:
        raise Unfit(f"{name} is {process[name]!r}, which is no port number.")
    return int(process[name])


def _apple(process: Mapping[str, str]) -> Apple:
    key = _private_key(Path(process["APNS_KEY_FILE"]).read_bytes(), "APNS_KEY_FILE")
    if not isinstance(key, EllipticCurvePrivateKey):
        raise Unfit("APNS_KEY_FILE holds no elliptic-curve key.")
    return Apple(key.public_key(), process["APNS_KEY_ID"], process["APNS_TEAM_ID"], process["APNS_TOPIC"])


def _service_account(path: Path) -> ServiceAccount:
    try:
        return ServiceAccount.of(json.loads(path.read_bytes()))
    except (ValueError, KeyError, TypeError) as error:
        raise Unfit(f"FCM_CREDENTIALS is no service-account file: {error!r}") from error


def _private_key(pem: bytes, name: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise Unfit(f"{name} holds no private key: {error}") from error
