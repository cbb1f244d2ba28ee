"""What ought to be: the contract's rules over again in plain Python, for one line and a few partners.

No database, no locks and no SQL: a list and a clock in whole seconds. `test_machine` does the same things to the real
code and to this ledger, and compares. Each deed returns what the caller ought to be told: None, or (code, details).
"""

from dataclasses import dataclass, field

OPEN = ("created", "awaiting_app", "awaiting_code")
OVERDUE = {
    "created": "identity_not_entered",
    "awaiting_app": "app_not_opened",
    "awaiting_code": "code_not_entered",
}
HOUR = 3600
SLOWED = (600, HOUR, 24 * HOUR)


@dataclass
class Asked:
    """One verification as it ought to stand. Times are the ledger's; `matched`: its line is known."""

    partner: int
    created: int
    ends: int
    state: str = "created"
    reason: str | None = None
    channel: str | None = None
    matched: bool = False
    matched_at: int = 0
    tries_left: int = 5
    released: bool = False
    resends_left: int = 3
    identity_tries_left: int = 3
    sent: int | None = None
    text_left: bool = False
    told: set = field(default_factory=set)

    @property
    def is_open(self):
        return self.state in OPEN

    def becomes(self, state, reason=None):
        assert self.is_open
        self.state, self.reason = state, reason
        if state not in ("created", "awaiting_app"):
            assert state not in self.told
            self.told.add(state)


@dataclass
class Ledger:
    """`requests`: how many a line may have in ten minutes and in a day, where a partner's limits differ."""

    requests: dict = field(default_factory=dict)
    now: int = 0
    protected: bool = False
    registered: bool = False
    wrong_passwords: int = 0
    wrong_numbers: list = field(default_factory=list)
    mismatches: list = field(default_factory=list)
    releases: dict = field(default_factory=dict)
    reports: list = field(default_factory=list)
    stop_all: bool = False
    blocked: set = field(default_factory=set)
    all: list = field(default_factory=list)

    # --- Time ---

    def overdue(self, one):
        return one.is_open and self.now >= one.ends

    def look_at(self, one):
        """What is overdue ends when somebody looks at it. None when it is open still."""
        if self.overdue(one):
            undelivered = one.channel == "sms" and not one.text_left
            why = OVERDUE[one.state]
            one.becomes("failed" if undelivered else "expired", "undeliverable" if undelivered else why)
        return None if one.is_open else ("closed", {"state": one.state, "reason": one.reason})

    def tick(self):
        for one in self.all:
            self.look_at(one)

    def drain(self):
        for one in self.all:
            if (one.state, one.channel) == ("awaiting_code", "sms") and not self.overdue(one):
                one.text_left = True

    # --- The partner's side ---

    def open_window(self, partner):
        self.all.append(Asked(partner, self.now, self.now + 600))

    def ask(self, partner, *, right):
        one = Asked(partner, self.now, self.now + 600)
        self._recognise(one, right=right)
        self.all.append(one)

    def identify(self, one, *, right):
        refusal = self.look_at(one)
        if refusal or one.state != "created":
            return refusal or ("wrong_state", {})
        if self._mismatch(one, right=right) and one.identity_tries_left > 1:
            one.identity_tries_left -= 1
            self._count_mismatch(one, right=right)
            return "invalid", {}
        self._recognise(one, right=right)
        return None

    def _mismatch(self, one, *, right):
        recent = [partner for partner, at in self.mismatches if self.now - at < HOUR]
        return not right or recent.count(one.partner) > 10 or len(recent) > 100

    def _count_mismatch(self, one, *, right):
        if not right:  # right data that are refused do not make it last
            self.mismatches.append((one.partner, self.now))

    def _recognise(self, one, *, right):
        if self._mismatch(one, right=right):
            self._count_mismatch(one, right=right)
            return one.becomes("failed", "identity_mismatch")
        counting = [other for other in self.all if other.matched and other.reason != "line_blocked"]
        ten_minutes, day = self.requests.get(one.partner, (5, 20))
        busy = sum(self.now - other.matched_at < 600 for other in counting) >= ten_minutes
        busy |= sum(self.now - other.matched_at < 24 * HOUR for other in counting) >= day
        one.matched, one.matched_at = True, self.now
        others = self._open_elsewhere(one)
        stopped = self.stop_all or one.partner in self.blocked or self.slowed(one.partner)
        if stopped or busy or others >= 3 or len(self.recent_wrong_numbers()) >= 10:
            one.becomes("failed", "line_blocked")
        elif self.protected and not self.registered:
            one.becomes("failed", "app_not_registered")
        elif self.protected and self.wrong_passwords >= 5:
            one.becomes("failed", "app_locked")
        else:
            self._supersede(one)
            one.released = self.protected and self.now < self.releases.pop(one.partner, 0)
            by_app = self.protected and not one.released
            one.channel, one.sent, one.ends = "app" if by_app else "sms", self.now, self.now + 180
            one.becomes("awaiting_app" if by_app else "awaiting_code")
        return None

    def _open_elsewhere(self, one):
        others = [other for other in self.all if other.matched and other.partner != one.partner]
        for other in others:
            self.look_at(other)
        return sum(other.is_open for other in others)

    def _supersede(self, one):
        older = [other for other in self.all if other is not one and other.matched and other.partner == one.partner]
        for other in older:
            if other.is_open and not self.look_at(other):
                other.becomes("cancelled", "superseded")

    def recent_wrong_numbers(self):
        return [at for at in self.wrong_numbers if self.now - at < HOUR]

    def confirm(self, one, *, right):
        refusal = self.look_at(one)
        if refusal or one.state != "awaiting_code":
            return refusal or ("wrong_state", {})
        if right:
            return one.becomes("verified")
        self.wrong_numbers.append(self.now)
        used_up = len(self.recent_wrong_numbers()) >= 10
        one.tries_left = 0 if used_up else one.tries_left - 1
        if one.tries_left == 0:
            one.becomes("failed", "too_many_wrong_codes")
        if used_up:
            self.end_open("failed", "too_many_wrong_codes")
        return "wrong_code", {"tries_left": one.tries_left}

    def resend(self, one):
        refusal = self.look_at(one)
        if refusal or one.state == "created" or (one.state, one.channel) == ("awaiting_code", "app"):
            return refusal or ("wrong_state", {})
        if one.resends_left == 0:
            return "resends_used_up", {}
        if self.now - one.sent < 30:
            return "resend_too_soon", {}
        one.resends_left, one.sent = one.resends_left - 1, self.now
        return None

    def cancel(self, one):
        return self.look_at(one) or one.becomes("cancelled", "cancelled_by_partner")

    # --- The owner's side ---

    def slowed(self, partner):
        """ "Not me" slows that partner: ten minutes, then an hour, then a day."""
        said = [at for of, at in self.reports if of == partner]
        return bool(said) and self.now < said[-1] + SLOWED[min(len(said), 3) - 1]

    def password(self, *, right):
        """The one counter; the fifth wrong one locks, ends what is open and what is released."""
        if self.wrong_passwords >= 5:
            return "locked", {}
        if right:
            self.wrong_passwords = 0
            return None
        self.wrong_passwords += 1
        if self.wrong_passwords == 5:
            self.end_open("failed", "app_locked")
            self.releases.clear()
        return "wrong_password", {"tries_left": 5 - self.wrong_passwords}

    def release(self, partner, *, right, minutes):
        refusal = self.password(right=right)
        if refusal is None:
            self.releases[partner] = self.now + 60 * minutes
        return refusal

    def withdraw(self, partner):
        return ("not_found", {}) if self.releases.pop(partner, 0) <= self.now else None

    def control(self, *, stop_all, blocked):
        """With the right password, so that it may lower as well as raise."""
        lowers = (self.stop_all and not stop_all) or bool(self.blocked - blocked)
        refusal = self.password(right=True) if lowers else None
        if refusal is None:
            self.stop_all, self.blocked = stop_all, blocked
            self.end_open("failed", "line_blocked", only=lambda one: stop_all or one.partner in blocked)
        return refusal

    def unlock(self, one, *, right):
        if one.channel != "app":
            return "not_found", {}
        refusal = self.look_at(one)
        if self.wrong_passwords >= 5 or refusal:
            return ("locked", {}) if self.wrong_passwords >= 5 else refusal
        refusal = self.password(right=right)
        if refusal:
            return refusal
        if one.state == "awaiting_app":
            one.becomes("awaiting_code")
            one.ends = self.now + 180
        return None

    def deny(self, one, *, not_me):
        if one.channel != "app" and not one.released:
            return "not_found", {}
        refusal = self.look_at(one)
        if refusal is None and not_me:
            self.reports.append((one.partner, self.now))
        end = ("denied", "not_me") if not_me else ("cancelled", "cancelled_by_customer")
        return refusal or one.becomes(*end)

    def join(self):
        self.end_open("failed", "line_changed")
        self.protected, self.registered, self.wrong_passwords = True, False, 0

    def register(self):
        for one in self.all if self.registered else ():
            if (one.state, one.channel) == ("awaiting_code", "app") and not self.look_at(one):
                one.becomes("failed", "line_changed")
        self.registered, self.wrong_passwords = True, 0
        self.releases.clear()

    def leave(self):
        self.end_open("failed", "line_changed")
        self.protected = self.registered = False
        self.wrong_passwords = 0
        self.releases.clear()
        self.stop_all, self.blocked = False, set()

    def end_open(self, state, reason, only=lambda one: True):
        for one in self.all:
            if one.matched and one.is_open and only(one) and not self.look_at(one):
                one.becomes(state, reason)
