"""Particles, spans and numbers as Korean writes them."""

import pytest
from django.utils.translation import override

from ansim.templatetags.korean import clock, duration, hyphenated, josa


@pytest.mark.parametrize(
    ("name", "pair", "expected"),
    [
        ("책방", "이/가", "책방이"),
        ("은하", "이/가", "은하가"),
        ("11번가", "은/는", "11번가는"),
        ("서울", "으로/로", "서울로"),
        ("책방", "으로/로", "책방으로"),
        ("카페 24", "을/를", "카페 24를"),
        ("스토어 8", "으로/로", "스토어 8로"),
        ("스토어 3", "으로/로", "스토어 3으로"),
        ("책방(본점)", "이/가", "책방(본점)이"),
        ("Kakao", "이/가", "Kakao이(가)"),
        ("Kakao", "으로/로", "Kakao(으)로"),
    ],
)
def test_a_name_takes_the_particle_its_last_sound_asks_for(name, pair, expected):
    with override("ko"):
        assert josa(name, pair) == expected


def test_in_english_the_name_stands_alone():
    with override("en"):
        assert josa("책방", "이/가") == "책방"


def test_spans_are_read_in_minutes_and_seconds():
    with override("ko"):
        assert [duration(seconds) for seconds in (161, 180, 20, 0, -3)] == ["2분 41초", "3분", "20초", "0초", "0초"]
    with override("en"):
        assert duration(61) == "1 minute 1 second"
    assert [clock(161), clock(5)] == ["2:41", "0:05"]


def test_numbers_are_written_with_hyphens():
    assert hyphenated("+821012345678") == "010-1234-5678"
    assert hyphenated("0111234567") == "011-123-4567"
    assert hyphenated("1566-4380") == "1566-4380"
