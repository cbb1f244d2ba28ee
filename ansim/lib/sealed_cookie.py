"""What a browser carries for us between the pages of one road: sealed, so nobody reads or changes it.

Nothing of it is stored here. A road has a Korean and an English address, and a cookie with the same content for
each: who changes the language goes on.
"""

import base64
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from ansim.lib import sealed
from ansim.lib.languages import path_in


@dataclass(frozen=True)
class SealedCookie:
    """One road's cookie, sent to `path` and below it only. `life` in seconds, which the browser cannot prolong."""

    name: str
    path: str
    life: int

    def read(self, request: HttpRequest) -> dict[str, Any]:
        """What was given; empty when there is none, it is too old, or it is not ours."""
        raw = request.COOKIES.get(f"{self.name}-{get_language()}", "")
        try:
            kept = sealed.unseal(base64.urlsafe_b64decode(raw), place=self._place)
        except (ValueError, sealed.Unreadable):
            return {}
        return dict(kept["said"]) if kept["until"] > time.time() else {}

    def give(self, response: HttpResponse, said: dict[str, Any]) -> None:
        """Replaces what it carried before. `said` is JSON, and small: a cookie ends at 4 KiB."""
        kept = {"until": time.time() + self.life, "said": said}
        value = base64.urlsafe_b64encode(sealed.seal(kept, place=self._place)).decode()
        for language, _ in settings.LANGUAGES:
            response.set_cookie(
                f"{self.name}-{language}", value, max_age=self.life, path=path_in(language, self.path),
                secure=settings.SECURE, httponly=True, samesite="Lax",
            )  # fmt: skip

    def forget(self, response: HttpResponse) -> None:
        for language, _ in settings.LANGUAGES:
            response.delete_cookie(f"{self.name}-{language}", path=path_in(language, self.path), samesite="Lax")

    @property
    def _place(self) -> str:
        return f"cookie.{self.name}"
