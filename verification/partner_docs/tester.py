"""The signature tester: is this webhook ours? It looks, says why not, and keeps nothing."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

OLDEST = 5 * 60  # seconds; Standard Webhooks


class Pasted(forms.Form):
    """What came, as it came. Nothing is trimmed from the body: one blank changes the signature."""

    secret = forms.CharField(max_length=200, label=_("웹훅 비밀 `whsec_…`"))
    message_id = forms.CharField(max_length=200, label="webhook-id")
    timestamp = forms.CharField(max_length=20, label="webhook-timestamp")
    signature = forms.CharField(max_length=500, label="webhook-signature")
    body = forms.CharField(max_length=20_000, strip=False, label=_("본문, 받은 그대로"))


@dataclass(frozen=True)
class Verdict:
    """`right` or not, in one sentence, with what to look at next."""

    right: bool
    title: str | Promise
    text: str | Promise


def judge(pasted: dict[str, Any]) -> Verdict:
    """Browsers send a textarea's lines with CRLF; our bodies are one line, so LF is tried as well."""
    try:
        key = base64.b64decode(pasted["secret"].removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return Verdict(False, _("비밀의 꼴이 달라요"), _("`whsec_` 뒤는 base64예요. 빠진 글자가 없는지 보세요."))
    if not pasted["timestamp"].isascii() or not pasted["timestamp"].isdigit():
        return Verdict(False, _("때의 꼴이 달라요"), _("`webhook-timestamp`는 초를 센 숫자예요."))
    theirs = [one for one in pasted["signature"].split() if one.startswith("v1,")]
    if not theirs:
        return Verdict(False, _("서명의 꼴이 달라요"), _("`webhook-signature`는 `v1,`로 시작해요."))
    bodies = {pasted["body"], pasted["body"].replace("\r\n", "\n")}
    if not any(_same(_sign(key, pasted, body), one) for body in bodies for one in theirs):
        return Verdict(False, _("서명이 맞지 않아요"), _why(pasted))
    if abs(time.time() - int(pasted["timestamp"])) > OLDEST:
        return Verdict(
            True,
            _("서명은 맞지만 오래됐어요"),
            _("5분 넘게 다른 것은 버려야 해요. 방금 받은 것이라면 서버의 시계를 맞추세요."),
        )
    return Verdict(True, _("맞아요. 우리가 보낸 것이에요"), _("같은 계산을 서버에서 하면 돼요."))


def _sign(key: bytes, pasted: dict[str, Any], body: str) -> str:
    signed = f"{pasted['message_id']}.{pasted['timestamp']}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode())


def _why(pasted: dict[str, Any]) -> str | Promise:
    try:
        json.loads(pasted["body"])
    except ValueError:
        return _("본문이 JSON이 아니에요. 처음부터 끝까지 붙여 넣었는지 보세요.")
    return _("본문을 다시 만들지 말고 받은 바이트 그대로 계산하세요. 비밀과 `webhook-id`도 같은 소식의 것인지 보세요.")
