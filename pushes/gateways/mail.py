"""E-mail, by the SMTP server that EMAIL_URL names: Django's own backend, its answers put into our words."""

import smtplib

from django.core.mail import EmailMessage

from pushes.gateways import Later, Misconfigured, Never, Sent
from pushes.models import Message


def send(message: Message) -> Sent:
    """One mail over a connection of its own. Safe to call from many threads."""
    mail = EmailMessage(
        subject=message.body["subject"], body=message.body["text"], to=[message.body["to"]],
        headers={"Message-ID": f"<{message.pk}@ansim>", "Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(max(code for code, _ in error.recipients.values())) from error
    except smtplib.SMTPAuthenticationError as error:
        raise Misconfigured(str(error.smtp_code)) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code) from error
    except OSError as error:  # also SMTPServerDisconnected and time-outs
        raise Later(type(error).__name__) from error
    return Sent(str(message.pk))


def _refused(code: int) -> Later | Never:
    """RFC 5321, section 4.2.1: 4yz may be tried again, 5yz not."""
    return Never(str(code)) if code >= 500 else Later(str(code))
