"""Who sends in `bench.push`: our gateways, and the vendors' own libraries as their manuals use them."""

import contextlib
import logging
import threading
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator
from datetime import timedelta
from typing import Any

import certifi
import firebase_admin
import httpx
import requests
from apns2.client import APNsClient, Notification
from apns2.credentials import TokenCredentials
from apns2.payload import Payload, PayloadAlert
from django.conf import settings
from django.utils import timezone
from firebase_admin import credentials, messaging

from bench.push_sink import Sink
from pushes import delivery, tasks
from pushes.gateways import Failure, Streams, apns, fcm
from pushes.models import Device, Message

Send = Callable[[int], int]
TOKEN = "f" * 64
warnings.filterwarnings("ignore", message="Message.token is deprecated")


@contextlib.contextmanager
def to(sink: Sink) -> Generator[None]:
    """Our gateways send to the sink, with an access token that needs no fetching."""
    before = {name: getattr(settings, name) for name in ("FCM_URL", "APNS_HOST", "APNS_PORT")}
    public, certifi.where = certifi.where, lambda: sink.ca_file  # FCM has no authority of its own in the settings
    settings.FCM_URL, settings.APNS_HOST, settings.APNS_PORT = sink.url, "127.0.0.1", sink.port
    fcm._google().account.token = "ya29.bench"
    try:
        yield
    finally:
        certifi.where = public
        for name, value in before.items():
            setattr(settings, name, value)


def all_of_them(sink: Sink) -> Iterator[tuple[str, Send, int]]:
    """Name, how it sends so many, and how many it is to send."""
    logging.disable(logging.INFO)  # a line for each push of mopyapns
    yield "apns", ours(apns), 20_000
    yield "mopyapns", mopyapns(sink), 1_500
    yield "fcm", ours(fcm), 20_000
    service = google(sink)
    yield "messaging.send", send_one_by_one(service), 1_500
    yield "messaging.send_each", send_each(service), 1_500
    logging.disable(logging.NOTSET)


def ours(gateway: Streams) -> Send:
    """As the drain does it, without the rows: encoded, posted, understood."""
    platform = Device.Platform.IOS if gateway is apns else Device.Platform.ANDROID
    device = Device(platform=platform, push_token=TOKEN)

    def send(times: int) -> int:
        places, taken = threading.Semaphore(tasks.STREAMS), 0

        def told(said: Any) -> None:
            nonlocal taken
            with contextlib.suppress(Failure):
                gateway.heard(said)
                taken += 1
            places.release()

        until = timezone.now() + timedelta(minutes=3)
        for _ in range(times):
            places.acquire()
            gateway.transfers().start(gateway.call(delivery.wake(device, verification=uuid.uuid4(), until=until)), told)
        for _ in range(tasks.STREAMS):
            places.acquire()
        return taken

    return send


class _Credentials(TokenCredentials):  # type: ignore[misc]
    ca_file = ""

    def create_connection(self, *_: Any, **__: Any) -> httpx.Client:
        return httpx.Client(http2=True, verify=httpx.create_ssl_context(verify=self.ca_file))


def mopyapns(sink: Sink) -> Send:
    """`send_notification_batch`: its way to send many."""
    _Credentials.ca_file = sink.ca_file
    client = APNsClient(_Credentials(settings.APNS_KEY_FILE, settings.APNS_KEY_ID, settings.APNS_TEAM_ID))
    client._server, client._port = "127.0.0.1", sink.port
    words = PayloadAlert(title="안심", body="앱을 열어 주세요")

    def send(times: int) -> int:
        content = Payload(alert=words, custom={"kind": "wake", "verification": str(uuid.uuid4())})
        many = [Notification(token=f"{turn:064x}", payload=content) for turn in range(times)]
        said = client.send_notification_batch(many, settings.APNS_TOPIC)
        return sum(result == "Success" for result in said.values())

    return send


def google(sink: Sink) -> firebase_admin.App:
    """Google's library, to the sink, with an access token that needs no fetching."""
    certificate = credentials.Certificate(settings.FCM_CREDENTIALS)
    certificate.get_credential().token = "ya29.bench"
    app = firebase_admin.initialize_app(certificate, name="bench")
    service = messaging._get_messaging_service(app)
    service._fcm_url = f"{sink.url}/v1/projects/{app.project_id}/messages:send"
    service._client.session.mount(sink.url, requests.adapters.HTTPAdapter(pool_maxsize=100))
    service._client.session.verify, service._client.session.trust_env = sink.ca_file, False
    return app


def _message() -> messaging.Message:
    about = str(uuid.uuid4())
    made = messaging.Message(
        data={"kind": "wake", "verification": about},
        notification=messaging.Notification(title="안심", body="앱을 열어 주세요"),
        android=messaging.AndroidConfig(priority="high", ttl=180, collapse_key=about),
    )
    made.token = TOKEN
    return made


def send_one_by_one(app: firebase_admin.App) -> Send:
    return lambda times: sum(bool(messaging.send(_message(), app=app)) for _ in range(times))


def send_each(app: firebase_admin.App) -> Send:
    """A hundred at a time: it takes a thread for each."""

    def send(times: int) -> int:
        batches = ([_message() for _ in range(min(100, times - done))] for done in range(0, times, 100))
        return sum(messaging.send_each(batch, app=app).success_count for batch in batches)

    return send


def owed(channel: Message.Channel, count: int) -> None:
    """So many wake-ups as rows, for a few hundred phones."""
    platform = Device.Platform.IOS if channel == Message.Channel.APNS else Device.Platform.ANDROID
    made = [Device(platform=platform, push_token=f"{turn:064x}", signing_key={}, sealing_key={}) for turn in range(200)]
    phones = Device.objects.bulk_create(made)
    until = timezone.now() + timedelta(minutes=10)
    rows = (delivery.wake(phones[turn % 200], verification=uuid.uuid4(), until=until) for turn in range(count))
    Message.objects.bulk_create(rows, batch_size=1_000)
