"""The one masking convention (mission.md section 7). Masked is the default everywhere, also for staff."""

from ansim.lib.phone import national


def phone(e164: str) -> str:
    """ "+821012345678" becomes "010-****-5678"."""
    digits = national(e164)
    return f"{digits[:3]}-****-{digits[-4:]}"


def mail(address: str) -> str:
    """ "minseo@example.com" becomes "mi***@example.com"."""
    local, _, domain = address.rpartition("@")
    return f"{local[:2] if len(local) > 3 else local[:1]}***@{domain}"


def name(full: str) -> str:
    """ "홍길동" becomes "홍*동", "홍길" becomes "홍*"."""
    if len(full) <= 2:
        return full[:1] + "*" * (len(full) - 1)
    return full[0] + "*" * (len(full) - 2) + full[-1]
