"""Mail on the wire: Django's SMTP backend against the world's mail server, and what its answers mean for us."""

import smtplib
import uuid

import pytest
from django.conf import settings

from pushes import delivery
from pushes.gateways import Later, Never, mail

BACKEND = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def by_smtp(monkeypatch):
    """The test runner puts another backend in the way."""
    monkeypatch.setattr(settings, "EMAIL_BACKEND", BACKEND)


def message(**given):
    to = given.pop("to", f"{uuid.uuid4().hex}@example.com")
    return delivery.mail(to, subject="[안심] 내 서비스", text=given.pop("text", "바뀐 것이 있어요.\n.점\n"))


def test_a_mail_arrives_whole(world, by_smtp):
    sent = message()
    assert mail.send(sent).provider_id == str(sent.pk)
    [listed] = world.get("/world/mails", params={"to": sent.body["to"]}).json()
    assert (listed["subject"], listed["text"]) == ("[안심] 내 서비스", "바뀐 것이 있어요.\n.점\n")
    assert listed["from"] == settings.DEFAULT_FROM_EMAIL


def test_a_server_that_is_away_means_later(by_smtp, monkeypatch):
    monkeypatch.setattr(settings, "EMAIL_PORT", 1)
    with pytest.raises(Later):
        mail.send(message())


@pytest.mark.parametrize(("code", "means"), [(450, Later), (550, Never)])
def test_a_refused_recipient_is_final_only_for_5yz(by_smtp, monkeypatch, code, means):
    def refuse(*_):
        raise smtplib.SMTPRecipientsRefused({"a@example.com": (code, b"no")})

    monkeypatch.setattr(smtplib.SMTP, "sendmail", refuse)
    with pytest.raises(means):
        mail.send(message())
