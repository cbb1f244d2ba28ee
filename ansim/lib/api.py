"""What every API door shares: strict JSON in, JSON out, default deny, and the order of checks that api.md fixes.

405, 401, 429, 415, 413, 400, then the object and the rules. A door that names no authentication refuses everybody.
"""

import re
import threading
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.validators import ProhibitNullCharactersValidator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import ProhibitSurrogateCharactersValidator
from rest_framework.views import APIView

from ansim.lib.access import Known
from ansim.lib.strict_json import OnlyJson, media_type_of

LARGEST_BODY = 65_536  # bytes
DOUBTFUL = re.compile(r"[\x00\ud800-\udfff]")
_UNSOUND = (ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator)


def _sound(value: Any) -> None:
    """As DRF has it, which looks letter by letter. Of what a text was turned into (a time) too."""
    if DOUBTFUL.search(str(value)):
        for refuse in _UNSOUND:
            refuse()(value)


class Text(serializers.CharField):
    """A string, as it was sent: numbers and booleans are not turned into text, blanks are kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=kwargs.pop("trim_whitespace", False), **kwargs)
        self.validators = [one for one in self.validators if not isinstance(one, _UNSOUND)] + [_sound]

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Body(serializers.Serializer):  # type: ignore[type-arg]
    """A request body: properties it does not name are refused."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        known: dict[str, Any] = {}
        errors: dict[str, Any] = {
            str(name): [serializers.ErrorDetail("is not known here", "unknown")] for name in sorted(unknown)
        }
        try:
            known = super().to_internal_value(data)
        except exceptions.ValidationError as error:
            errors |= error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        if errors:
            raise exceptions.ValidationError(errors)
        return known

    def run_validators(self, value: Any) -> None:
        """There are none: what concerns several fields is for `validate`. DRF copies all values to find that out."""

    def checked(self, data: Any, context: dict[str, Any]) -> dict[str, Any]:
        """What the request says, as the form has it. Nothing of it stays in the form, which is used again.

        What is wrong is told in one language for programs, whatever their library sends as Accept-Language. It is
        spoken only then, to a form of its own: DRF keeps some words in the language in which they were first said.
        """
        try:
            return self._read(data, context)
        except exceptions.ValidationError:
            with translation.override("en"):
                return type(self)()._read(data, context)

    def _read(self, data: Any, context: dict[str, Any]) -> dict[str, Any]:
        self.initial_data, self._context = data, context
        try:
            return dict(self.run_validation(data))
        finally:
            self.initial_data, self._context = {}, {}


class _Kept(threading.local):
    """One of each form for each thread: DRF copies all fields for every new one, as long as the checking itself."""

    def __init__(self) -> None:
        self._forms: dict[type[Body], Body] = {}

    def form(self, kind: type[Body]) -> Body:
        if kind not in self._forms:
            self._forms[kind] = kind()
        return self._forms[kind]


_kept = _Kept()


class Door(APIView):
    """One address of an API. Subclasses name their authentication and call `self.body(…)` or `self.no_body()`."""

    content_negotiation_class = OnlyJson
    permission_classes = [Known]
    http_method_names = ["get", "head", "post", "put", "delete"]  # api.md knows no OPTIONS

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answered = super().dispatch(request, *args, **kwargs)
        answered.headers.setdefault("Cache-Control", "no-store")
        return answered

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method not in self.allowed_methods:
            raise exceptions.MethodNotAllowed(str(request.method))
        super().initial(request, *args, **kwargs)

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> None:  # type: ignore[override]
        if request.auth is None:
            raise exceptions.NotAuthenticated
        raise exceptions.PermissionDenied

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
            exc.auth_header = self.get_authenticate_header(self.request)  # type: ignore[union-attr] # DRF's own way
        answered: Response = self.get_exception_handler()(exc, self.get_exception_handler_context())
        answered.exception = True
        return answered

    def body(self, form: type[Body], **context: Any) -> dict[str, Any]:
        """The request's body as that form has it: 415, 413, 400 in this order."""
        if media_type_of(self.request) not in {parser.media_type for parser in self.parser_classes}:
            raise exceptions.UnsupportedMediaType(self.request.content_type or "")
        length = int(self.request.META.get("CONTENT_LENGTH") or 0)
        if length > LARGEST_BODY:
            raise RequestDataTooBig
        if length == 0:  # the framework would take it for an empty object
            raise exceptions.ParseError
        return _kept.form(form).checked(self.request.data, context)

    def no_body(self) -> None:
        """For calls that take none: an empty body or an empty object passes."""
        if self.request.META.get("CONTENT_LENGTH") not in (None, "", "0"):
            self.body(Body)
