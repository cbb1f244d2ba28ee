"""Where a request came from, as the owner of the line is shown it."""


def shown(address: str) -> str:
    """What the owner is shown of where it came from: the network, not the address."""
    if not address:
        return ""
    parts = address.split(".") if "." in address else address.split(":")[:3]
    return ".".join([*parts[:3], "*"]) if "." in address else ":".join([*parts, "*"])
