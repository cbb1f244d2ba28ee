"""People at the desk, for tests in this process: they sign in as anybody does, with codes their app would show."""

import base64
import secrets
import uuid

from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from ansim import audit, staff
from ansim.lib import fingerprint
from ansim.models import AccessRecord, Agent, SignInTries

PASSWORD = "a-long-enough-pass"
LOGIN = "/admin/login/"


class Staff:
    """Han, with one role (or none), in a browser of their own at an address of their own."""

    def __init__(self, *roles, name=None):
        staff.set_up_roles()
        self.username = name or f"han-{uuid.uuid4().hex[:8]}"
        # An id of their own: what was counted of others in the last hour is not theirs.
        self.agent = Agent(pk=10**6 + secrets.randbelow(10**9), username=self.username, is_staff=True)
        self.agent.set_password(PASSWORD)
        self.agent.save()
        if roles:
            staff.set_roles(self.agent, roles, by=audit.COMMAND)
        self.device = TOTPDevice.objects.create(user=self.agent, name="app", key=secrets.token_hex(20))
        self.address = f"10.{secrets.randbelow(250)}.{secrets.randbelow(250)}.{secrets.randbelow(250)}"
        self.client = self.browser()

    def browser(self):
        return Client(REMOTE_ADDR=self.address, headers={"Accept-Language": "ko"})

    def code(self):
        """What the app shows. Whoever used one has to wait for the next; here the device forgets it instead."""
        TOTPDevice.objects.filter(pk=self.device.pk).update(last_t=-1, drift=0)
        self.device.refresh_from_db()
        return shown(self.device)

    def sign_in(self, client=None, **wrong):
        given = {"username": self.username, "password": PASSWORD, "next": "/admin/", **wrong}
        if "otp_token" not in wrong:
            given["otp_token"] = self.code()
        return (client or self.client).post(LOGIN, given)

    def come_in(self):
        assert self.sign_in().status_code == 302
        return self

    def get(self, path, **query):
        return self.client.get(path, query)

    def post(self, path, **given):
        return self.client.post(path, given)

    def find(self, person, **differing):
        """Look for them by their number, about a cancellation."""
        given = {"phone": person.phone, "inquiry": "cancel", "ticket": "C-1042", **differing}
        return self.client.post("/admin/customers/find/", given)

    def opens(self, person):
        """The address of their page, after it was found."""
        answer = self.find(person)
        assert answer.status_code == 303, answer.content.decode()
        return answer["Location"]

    @property
    def own_records(self):
        """What they did there; that they came in and left is on record too."""
        mine = AccessRecord.objects.filter(actor=self.username).exclude(action__in=("sign_in", "sign_out"))
        mine = mine.order_by("number")
        return [(row.action, row.what) for row in mine]


def shown(device):
    totp = TOTP(device.bin_key)
    return f"{totp.token():06}"


def app_of(secret):
    """The code of whoever took over that key (base32)."""
    return f"{TOTP(base64.b32decode(secret)).token():06}"


def tries(name):
    return SignInTries.objects.filter(name=fingerprint.of("desk-account", name)).first()
