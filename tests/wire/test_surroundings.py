"""Where the world refuses to start."""

import os
import subprocess
import sys

import pytest

from ansim.demo.world.surroundings import Surroundings, Unfit


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DEMO", "0", "DEMO is not set"),
        ("FCM_URL", "https://fcm.googleapis.com", "FCM_URL names fcm.googleapis.com, which is not this machine"),
        ("APNS_HOST", "api.push.apple.com", "APNS_HOST names api.push.apple.com, which is not this machine"),
        ("SMS_URL", "http://10.0.0.7:9000/sms", "SMS_URL names 10.0.0.7"),
        ("CARRIER_URL", "https://carrier.example/api", "CARRIER_URL names carrier.example"),
        ("SMS_TOKEN", "", "not set: SMS_TOKEN"),
        ("WORLD_PORT", "http", "WORLD_PORT is 'http', which is no port number"),
        ("APNS_KEY_FILE", "/nowhere/apns.p8", "the file /nowhere/apns.p8 is missing"),
    ],
)
def test_it_refuses_and_says_why(monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)

    with pytest.raises(Unfit, match=words):
        Surroundings.read()


def test_a_refusal_ends_the_process_with_2():
    command = [sys.executable, "-m", "ansim.demo.world"]

    ended = subprocess.run(command, env=os.environ | {"DEMO": "0"}, capture_output=True, text=True, timeout=30)

    assert ended.returncode == 2
    assert ended.stderr == "world: DEMO is not set: the simulated world runs in the demo and in tests only.\n"
