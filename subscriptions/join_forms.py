"""What is ticked when joining: one box for each document in force, none ticked beforehand."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from subscriptions.models import ConsentDocument
from subscriptions.public_pages import text


class ConsentForm(forms.Form):
    """The boxes are named after the kinds of documents; `version` says which ones were on the page."""

    def __init__(
        self, documents: Sequence[ConsentDocument], data: Any = None, *, ticked: Collection[uuid.UUID] = ()
    ) -> None:
        super().__init__(data)
        self.documents = documents
        for document in documents:
            self.fields[document.kind] = forms.BooleanField(required=False, initial=document.pk in ticked)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for document in self.documents:
            if document.required and not given.get(document.kind):
                title = {"title": text(document, "title")}
                self.add_error(document.kind, _("%(title)s: 동의해야 가입할 수 있어요.") % title)
        return given

    def ticked(self) -> list[uuid.UUID]:
        return [document.pk for document in self.documents if self.cleaned_data.get(document.kind)]

    def boxes(self) -> list[dict[str, Any]]:
        """Each document with its box, for the page."""
        return [
            {
                "field": self[document.kind], "required": document.required, "kind": document.kind,
                "version": document.version, "title": text(document, "title"), "summary": text(document, "summary"),
            }
            for document in self.documents
        ]  # fmt: skip
