"""The two roads as pictures: who tells whom what, in order. Drawn by `templates/docs/road.html`."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

ACTORS = (52, 190, 328)  # where the site, Ansim and the phone stand
TOP, STEP = 56, 46  # the first arrow, and from one to the next


@dataclass(frozen=True)
class Arrow:
    """From one actor to another (0 site, 1 Ansim, 2 phone); places are the picture's own units."""

    number: int
    start: int
    end: int
    label: str

    @property
    def y(self) -> int:
        return TOP + STEP * self.number

    @property
    def label_y(self) -> int:
        return self.y - 8

    @property
    def x1(self) -> int:
        return ACTORS[self.start]

    @property
    def x2(self) -> int:
        """Short of the line, so that the arrow's head touches it."""
        return ACTORS[self.end] + (7 if self.end < self.start else -7)

    @property
    def middle(self) -> int:
        return (ACTORS[self.start] + ACTORS[self.end]) // 2

    @property
    def head(self) -> str:
        way = 7 if self.end < self.start else -7
        x = ACTORS[self.end]
        return f"{x},{self.y} {x + way},{self.y - 5} {x + way},{self.y + 5}"


@dataclass(frozen=True)
class Road:
    id: str
    title: str
    arrows: tuple[Arrow, ...]
    height: int


def roads() -> list[Road]:
    sms = [
        (0, 1, _("① 인증 시작")),
        (1, 2, _("② 문자로 번호")),
        (2, 1, _("③ 번호 입력")),
        (1, 0, _("④ 웹훅")),
        (0, 1, _("⑤ 결과 읽기")),
    ]
    app = [
        (0, 1, _("① 인증 시작")),
        (1, 2, _("② 앱을 여세요")),
        (2, 1, _("③ 앱 비밀번호")),
        (1, 2, _("④ 잠긴 번호")),
        (2, 1, _("⑤ 번호 입력")),
        (1, 0, _("⑥ 웹훅")),
        (0, 1, _("⑦ 결과 읽기")),
    ]
    return [
        _road("sms", _("문자로: 보호하지 않는 회선"), sms),
        _road("app", _("앱으로: 보호하는 회선"), app),
    ]


def _road(name: str, title: str, steps: list[tuple[int, int, str]]) -> Road:
    arrows = tuple(Arrow(number, *step) for number, step in enumerate(steps, start=1))
    return Road(name, title, arrows, TOP + STEP * (len(steps) + 1) - 14)
