"""What a partner's people type into the console. Pasted blanks are fine; every refusal says what would be right."""

import ipaddress
import unicodedata
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from verification import webhook_post

MOST_ORIGINS = 20
MOST_NETWORKS = 50
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class OneTimeCode(forms.CharField):
    """Six digits; full-width ones, blanks and hyphens are read kindly."""

    def to_python(self, value: Any) -> str:
        typed = unicodedata.normalize("NFKC", super().to_python(value) or "")
        return "".join(letter for letter in typed if letter not in " -")


class Lines(forms.CharField):
    """One entry a line; blanks and empty lines are dropped, repeats as well."""

    def to_python(self, value: Any) -> Any:
        return list(dict.fromkeys((super().to_python(value) or "").split()))


class SignIn(forms.Form):
    """Nothing is refused here for its own sake: all that is wrong looks alike."""

    email = forms.CharField(max_length=254, required=False)
    password = forms.CharField(max_length=200, strip=False, required=False)
    token = OneTimeCode(max_length=20, required=False)


class Confirmed(forms.Form):
    """A change that matters asks for a fresh code, last; the door sees to it once the rest is right."""

    field_order = ("kind", "origins", "url", "networks", "token")
    token = OneTimeCode(max_length=20, required=False)


class ReturnOrigins(Confirmed):
    origins = Lines(max_length=6000, required=False)

    def clean_origins(self) -> list[str]:
        typed = self.cleaned_data["origins"]
        if len(typed) > MOST_ORIGINS:
            raise ValidationError(_("출처는 20개까지 등록할 수 있어요."))
        return list(dict.fromkeys(_origin(one) for one in typed))


def _origin(typed: str) -> str:
    """As browsers write origins. Refused: anything behind the host, plain http but for the demo's own machine."""
    try:
        parts = urlsplit(typed)
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except ValueError:
        host = ""
    told = {"origin": typed}
    bare = bool(host) and typed.isprintable() and parts.netloc == typed.partition("//")[2].rstrip("/")
    if not bare or "@" in parts.netloc or "\\" in typed or "*" in typed or len(typed) > 255:
        raise ValidationError(_("‘%(origin)s’: https://shop.example처럼 주소의 앞부분만 적어 주세요."), params=told)
    written = f"[{host}]" if ":" in host else host
    if parts.scheme != "https" and not (settings.DEMO and parts.scheme == "http" and written in LOOPBACK):
        raise ValidationError(_("‘%(origin)s’: https로 시작해야 해요."), params=told)
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{written}" + (f":{port}" if port and port != usual else "")


class WebhookAddress(Confirmed):
    url = forms.CharField(max_length=500, required=False)

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        if url and not (url.isascii() and url.isprintable() and webhook_post.acceptable(url)):
            raise ValidationError(_("이 주소로는 보낼 수 없어요. 인터넷에서 열리는 https 주소를 적어 주세요."))
        return url


class NewKey(Confirmed):
    kind = forms.ChoiceField(choices=[("test", _("시험용")), ("live", _("실제"))])

    def __init__(self, data: Any = None, **rest: Any) -> None:
        super().__init__(data, **rest)
        if settings.DEMO:  # beside the simulated world nothing is real
            self.fields["kind"].choices = self.fields["kind"].choices[:1]  # type: ignore[attr-defined]


class AllowedAddresses(Confirmed):
    networks = Lines(max_length=3000, required=False)

    def clean_networks(self) -> list[str]:
        typed = self.cleaned_data["networks"]
        if len(typed) > MOST_NETWORKS:
            raise ValidationError(_("허용 주소는 50개까지 적을 수 있어요."))
        return list(dict.fromkeys(_network(one) for one in typed))


def _network(typed: str) -> str:
    """CIDR. Refused: bits behind the prefix (a slip that would open more than was meant), and everybody at once."""
    try:
        network = ipaddress.ip_network(typed)
    except ValueError:
        network = None
    if network is None or "%" in typed:
        raise ValidationError(_("‘%(network)s’: 203.0.113.0/24처럼 적어 주세요."), params={"network": typed})
    if network.prefixlen == 0:
        raise ValidationError(_("모든 주소를 허용하려면 비워 두세요."))
    return str(network)
