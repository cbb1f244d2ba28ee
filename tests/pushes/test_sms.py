"""Which gateway carries a text is a setting; the console one is for development only."""

import pytest

from pushes import checks, tasks
from tests.pushes import phones

pytestmark = pytest.mark.django_db


def test_the_console_shows_the_text_and_hides_the_number(settings, capsys):
    settings.SMS_GATEWAY, settings.BASE_URL = "console", "http://127.0.0.1:8000"
    message = phones.sms(to="+821012345678", words="[안심] 번호 123456")

    tasks.drain("sms")

    assert "[SMS 010-****-5678] [안심] 번호 123456" in capsys.readouterr().err
    message.refresh_from_db()
    assert message.state == "sent"


def test_the_console_serves_no_real_people(settings, capsys, caplog):
    settings.SMS_GATEWAY, settings.BASE_URL = "console", "https://ansim.example"
    message = phones.sms(words="[안심] 번호 123456")

    tasks.drain("sms")

    assert "123456" not in capsys.readouterr().err
    message.refresh_from_db()
    assert (message.state, message.last_error) == ("owed", "sms_gateway_console_in_production")
    assert [line.code for line in caplog.records if line.levelname == "ERROR"] == ["sms_gateway_console_in_production"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"SMS_GATEWAY": "console", "BASE_URL": "https://ansim.example"},
        {"SMS_GATEWAY": "pigeon"},
        {"SMS_GATEWAY": "http", "SMS_URL": ""},
    ],
)
def test_a_process_refuses_to_start_with_settings_that_cannot_send(settings, wrong):
    assert checks.sms_gateway_can_send(None) == []

    for name, value in wrong.items():
        setattr(settings, name, value)

    (error,) = checks.sms_gateway_can_send(None)
    assert error.id == "pushes.E001"
