"""Who lives in the simulated world at first, and what the demo's seed is made of. Every name and number is made up."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Person:
    """A line and its holder. `line` holds what differs from an ordinary adult's own SKT line with an Android phone."""

    name: str
    birthdate: str  # ISO
    gender: str
    phone: str  # E.164
    line: dict[str, Any] = field(default_factory=dict)
    foreigner: bool = False

    @property
    def contract(self) -> str:
        return f"C-{self.phone[3:]}"

    @property
    def yymmdd(self) -> str:
        return self.birthdate[2:].replace("-", "")

    @property
    def gender_digit(self) -> str:
        return gender_digit(self.birthdate, self.gender, foreigner=self.foreigner)

    def in_the_world(self) -> dict[str, Any]:
        """The body of POST /world/lines."""
        return {
            "contract": self.contract,
            "phone": self.phone,
            "holder": {
                "name": self.name, "birthdate": self.birthdate, "gender": self.gender, "foreigner": self.foreigner,
                "ci": made_up_ci(self.contract),
            },
            **self.line,
        }  # fmt: skip

    def shown(self) -> dict[str, Any]:
        return {
            "phone": self.phone, "contract": self.contract, "name": self.name, "birthdate": self.yymmdd,
            "gender_digit": self.gender_digit,
        }  # fmt: skip


def gender_digit(birthdate: str, gender: str, *, foreigner: bool) -> str:
    """The seventh digit of a resident registration number (mission.md section 7)."""
    century = {"18": 9, "19": 5 if foreigner else 1, "20": 7 if foreigner else 3}[birthdate[:2]]
    return str((century + (gender == "F")) % 10)


def made_up_ci(contract: str) -> str:
    """88 base64 characters that belong to nobody: only a designated agency may compute a real CI."""
    return base64.b64encode(hashlib.sha512(f"synthetic CI of {contract}".encode()).digest()).decode()


def _handset(model: str, os: str, os_version: str, form: str = "phone") -> dict[str, Any]:
    return {"handset": {"model": model, "os": os, "os_version": os_version, "form": form}}


IPHONE = _handset("iPhone17,1", "ios", "19.1")

MEMBERS = (
    Person("김민아", "1990-01-01", "F", "+821020010001"),
    Person("이준호", "1985-07-23", "M", "+821020010002", IPHONE),
    Person("박서연", "2001-12-05", "F", "+821020010003"),
    Person("최도윤", "1978-03-30", "M", "+821020010004"),
    Person("Anna Schmidt", "1993-09-14", "F", "+821020010005", IPHONE, foreigner=True),
)
ELIGIBLE = (
    Person("홍길동", "1990-05-05", "M", "+821030010001"),
    Person("정하은", "1996-02-29", "F", "+821030010002"),
    Person("강지후", "1988-11-11", "M", "+821030010003", IPHONE),
    Person("조수빈", "2003-06-18", "F", "+821030010004"),
    Person("윤태오", "1971-08-02", "M", "+821030010005"),
    Person("장예린", "1999-10-27", "F", "+821030010006", IPHONE),
    Person("임건우", "1982-04-09", "M", "+821030010007"),
    Person("한소이", "2005-01-15", "F", "+821030010008"),
    Person("오세훈", "1965-12-24", "M", "+821030010009", _handset("GT-I9100", "android", "2.3")),
    Person("신아름", "1994-07-07", "F", "+821030010010"),
)
NOT_ELIGIBLE = {
    "not_skt": Person("서로운", "1991-03-03", "M", "+821040010001", {"carrier": "KT"}),
    "not_individual": Person("권보라", "1987-09-19", "F", "+821040010002", {"owner_type": "corporate"}),
    "not_own_name": Person("황민재", "1992-05-21", "M", "+821040010003", {"user_is_owner": False}),
    "minor": Person("안유진", "2012-04-17", "F", "+821040010004"),
    "prepaid": Person("송시우", "1998-08-08", "M", "+821040010005", {"plan_type": "prepaid"}),
    "m2m": Person("전가을", "1980-10-10", "F", "+821040010006", {"plan_type": "m2m"}),
    "special_plan": Person("류현석", "1976-01-31", "M", "+821040010007", {"plan_type": "special"}),
    "unsupported_os": Person(
        "문채원", "1989-06-06", "F", "+821040010008", _handset("Lumia 950", "windows_mobile", "10.0")
    ),
    "old_os": Person("배진영", "1973-02-14", "M", "+821040010009", _handset("Nexus One", "android", "2.2")),
    "tablet": Person("백하늘", "1997-11-30", "F", "+821040010010", _handset("iPad16,3", "ios", "19.1", "tablet")),
    "line_not_active": Person("노을", "1995-12-12", "F", "+821040010011", {"status": "suspended"}),
}


PASSWORD = "259173"
"""Of the app, where demo and tests need one."""
_drawn: set[str] = set()


def somebody_new() -> Person:
    """An ordinary adult with a number that nobody has yet (010-5… is kept for them)."""
    year, month, day = 1960 + secrets.randbelow(45), 1 + secrets.randbelow(12), 1 + secrets.randbelow(28)
    name = secrets.choice("김이박최정강조윤장임") + secrets.choice(("하늘", "도현", "서아", "지안", "은우", "유나"))
    return Person(name, f"{year}-{month:02}-{day:02}", secrets.choice("MF"), _number())


def _number() -> str:
    """One that was not drawn before, and of which the usual app password of demo and tests is no part (a weak one)."""
    while (number := f"+82105{secrets.randbelow(10**7):07}") in _drawn or PASSWORD in number:
        pass
    _drawn.add(number)
    return number
