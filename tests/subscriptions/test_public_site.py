"""The public pages: there for everybody, in both languages, with nothing from elsewhere, and true to the seed."""

import re
import xml.etree.ElementTree as ET
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.shortcuts import render
from django.test import RequestFactory
from django.utils import timezone, translation
from django.views import defaults

from ansim.record_models import AccessRecord
from subscriptions import public_pages
from subscriptions.models import Announcement, ConsentDocument, Question
from tests.verification.test_webhooks_api import agent

pytestmark = pytest.mark.django_db
FIXED = ["/", "/service", "/how-to", "/faq", "/notices", "/terms", "/privacy", "/partners"]
CONSENTS = [f"/consents/{kind}/2026-01-01" for kind in ConsentDocument.Kind.values]
TEXTS = Path(__file__).resolve().parents[2] / "subscriptions/migrations/public_texts"
LANGUAGES = {"ko": "", "en": "/en"}
YESTERDAY, TOMORROW = timedelta(days=-1), timedelta(days=1)


def in_english(path):
    return "/en/" if path == "/" else f"/en{path}"


class Parts(HTMLParser):
    """What a page says outside elements of another language, its links, and what a browser fetches for it."""

    def __init__(self, html):
        super().__init__()
        self.said, self.links, self.fetched, self._elsewhere = [], [], [], None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "a":
            self.links.append(given["href"])
        if tag in ("script", "img", "iframe") or (tag == "link" and given["rel"] not in ("canonical", "alternate")):
            self.fetched.append(given.get("src") or given.get("href"))
        if tag != "html" and "lang" in given:
            self._elsewhere = tag
        self.said += [given[name] or "" for name in ("aria-label", "content", "alt", "placeholder") if name in given]

    def handle_endtag(self, tag):
        if tag == self._elsewhere:
            self._elsewhere = None

    def handle_data(self, text):
        if self._elsewhere is None:
            self.said.append(text)


def every_page():
    slugs = Question.objects.values_list("slug", flat=True)
    notices = Announcement.objects.values_list("pk", flat=True)
    return [*FIXED, *CONSENTS, *(f"/faq/{slug}" for slug in slugs), *(f"/notices/{pk}" for pk in notices)]


# --- Addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FIXED)
def test_a_fixed_page_answers_in_both_languages_with_and_without_a_final_slash(client, path):
    for language, prefix in LANGUAGES.items():
        address = in_english(path) if prefix else path
        for asked in {address, f"{address.rstrip('/')}/"}:
            page = client.get(asked)
            assert (page.status_code, page["Content-Language"]) == (200, language)
            assert f'<html lang="{language}">' in page.text
            assert f'<link rel="canonical" href="{settings.BASE_URL}{address}">' in page.text


def test_english_also_begins_without_its_slash(client):
    assert client.get("/en")["Location"] == "/en/"


def test_the_first_page_links_to_the_six_that_people_look_for(client):
    for prefix in LANGUAGES.values():
        links = Parts(client.get(f"{prefix}/").text).links
        wanted = {f"{prefix}/{page}" for page in ("service", "how-to", "faq", "join", "cancel", "my")}
        assert wanted <= set(links)


@pytest.mark.parametrize(("old", "new"), [("/service_info_ds.html", "/cancel"), ("/cs_faq_tk.html", "/faq")])
def test_the_seeds_old_addresses_lead_to_the_new_ones(client, old, new):
    moved = client.get(old)
    assert (moved.status_code, moved["Location"]) == (301, new)


def test_no_link_of_a_public_page_leads_nowhere_or_out_of_its_language(client):
    wrong = []
    for path in every_page():
        for prefix in LANGUAGES.values():
            here = in_english(path) if prefix else path
            for link in Parts(client.get(here).text).links:
                target = link.partition("#")[0]
                if not target or target.startswith(("tel:", "?", "/partner", "/demo")):
                    continue
                strayed = target.startswith("/en") != bool(prefix) and link not in (path, in_english(path))
                if strayed or client.get(target).status_code not in (200, 302, 303):
                    wrong.append((here, link))
    assert wrong == []


def test_nobody_posts_to_a_page_that_only_shows(client):
    assert client.post("/faq").status_code == 405
    assert client.head("/faq").content == b""


# --- Languages --------------------------------------------------------------------------------------------------------


def test_an_english_page_says_nothing_in_korean(client):
    """Also what came out of the database. Names in the other language stand in elements that say so."""
    korean = {}
    for path in every_page():
        found = re.findall("[가-힣]+", " ".join(Parts(client.get(in_english(path)).text).said))
        if found:
            korean[path] = found
    assert korean == {}


def test_the_address_decides_whatever_the_browser_prefers(client):
    client.cookies["django_language"] = "en"
    assert '<html lang="ko">' in client.get("/faq", headers={"accept-language": "en"}).text
    client.cookies["django_language"] = "ko"
    assert '<html lang="en">' in client.get("/en/faq", headers={"accept-language": "ko"}).text


def test_a_window_opened_from_an_english_page_speaks_english(client):
    assert '<html lang="ko">' in client.get("/window/nothing").text
    client.get("/en/faq")
    assert '<html lang="en">' in client.get("/window/nothing").text
    client.get("/faq")
    assert '<html lang="ko">' in client.get("/window/nothing").text


def test_a_page_leaves_no_cookie_where_the_browser_speaks_its_language_anyway(client):
    assert not client.get("/faq").cookies
    assert not client.get("/en/faq", headers={"accept-language": "en-GB,en"}).cookies
    cookie = client.get("/en/faq").cookies["django_language"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("en", True, "Lax")


@pytest.mark.parametrize("path", ["/ko/faq", "/EN/faq", "/en-us/faq", "/en/en/faq", "/en//faq"])
def test_there_are_no_other_names_for_a_page(client, path):
    assert client.get(path).status_code == 404


# --- What goes over the line ------------------------------------------------------------------------------------------


def test_a_page_asks_nobody_else_and_stays_small(client):
    for path in every_page():
        page = client.get(path)
        parts = Parts(page.text)
        assert [link for link in parts.fetched if not link.startswith("/static/")] == []
        files = sum((settings.ROOT / link[1:]).stat().st_size for link in parts.fetched if "/fonts/" not in link)
        assert len(page.content) + files < 150_000
        assert len(page.content) < 40_000


def test_the_picture_for_messengers_is_there_and_small(client):
    page = client.get("/en/service").text
    picture = re.search(r'property="og:image" content="([^"]+)"', page)[1]
    assert picture.startswith(f"{settings.BASE_URL}/static/")
    assert (settings.ROOT / "static/img/card.png").stat().st_size < 60_000
    assert '<meta property="og:title" content="About">' in page


def test_every_page_says_in_a_sentence_what_it_is(client):
    described = [re.findall(r'<meta name="description" content="([^"]+)">', client.get(path).text) for path in FIXED]
    assert all(len(found) == 1 for found in described)
    assert len({found[0] for found in described}) == len(FIXED)


def test_a_browser_asks_again_and_is_told_that_nothing_changed(client):
    first = client.get("/faq")
    assert first["Cache-Control"] == "private, no-cache"
    again = client.get("/faq", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Question.objects.filter(slug="fee").update(answer_ko="이제 달라요.")
    assert client.get("/faq", headers={"if-none-match": first["ETag"]}).status_code == 200


def test_a_page_that_did_not_change_still_leaves_its_language(client):
    tag = client.get("/en/faq")["ETag"]
    client.cookies["django_language"] = "ko"
    assert client.get("/en/faq", headers={"if-none-match": tag}).cookies["django_language"].value == "en"


# --- Questions --------------------------------------------------------------------------------------------------------

SEED = {
    "how-it-differs": ["생년월일", "문자", "앱 비밀번호", "암호화된 데이터 푸시"],  # S1, S2
    "data-push": ["카카오톡"],  # S3
    "supported-phones": ["안드로이드 2.3", "iOS 6.0", "아이패드", "윈도우 모바일"],  # S4
    "app-needed": ["부가서비스", "설치"],  # S5
    "suspended-line": ["정지한 날까지"],  # S6
    "who-can-join": ["19세", "법인", "가족", "선불", "M2M"],  # S7
    "new-phone-or-number": ["자동으로 해지", "KT", "LG U+", "명의"],  # S8
    "history": ["인증이력", "20건"],  # S9
    "how-to-cancel": ["/cancel", "1566-4380"],  # S10
    "auto-fill-sites": ["일시 해제"],  # S11
}


@pytest.mark.parametrize("slug", SEED)
def test_the_seeds_questions_are_answered_at_addresses_of_their_own(client, slug):
    page = client.get(f"/faq/{slug}").text
    assert [fact for fact in SEED[slug] if fact not in page] == []
    assert f'<details class="question" id="{slug}"' in client.get("/faq").text


def questions_on(page):
    return re.findall(r'<details class="question" id="([^"]+)"', page.text)


def test_the_search_finds_words_of_questions_and_answers_in_the_language_of_the_page(client):
    assert questions_on(client.get("/faq", {"q": "유심 스미싱"})) == []
    assert "history" in questions_on(client.get("/faq", {"q": "  20건   인증이력 "}))
    assert questions_on(client.get("/en/faq", {"q": "gingerBREAD"})) == ["supported-phones"]
    assert questions_on(client.get("/en/faq", {"q": "진저브레드"})) == []


def test_a_search_says_how_many_there_are_and_shows_the_answers(client):
    page = client.get("/faq", {"q": "진저브레드"})
    assert "<strong>1개</strong>" in page.text
    assert '<details class="question" id="supported-phones" open>' in page.text
    assert '<meta name="robots" content="noindex">' in page.text


def test_a_search_that_finds_nothing_says_what_to_do(client):
    assert "찾는 말이 들어 있는 질문이 없어요." in client.get("/faq", {"q": "낙타"}).text


@pytest.mark.parametrize(
    "typed",
    ["<script>alert(1)</script>", '" autofocus onfocus="x', "\x00", "a\x00b", "ㄱ" * 5_000, "%", "_", "\\", "'; --",
     "\ud800",
     "{{ 7|add:7 }}", "[x](javascript:alert(1))", "\u202e", "  \t\n "],
    ids=ascii,
)  # fmt: skip
def test_whatever_is_searched_for_is_only_words(client, typed):
    query = f"q={''.join(f'%{byte:02X}' for byte in typed.encode('utf-8', 'surrogatepass'))}"
    if len(query) > 8_000:
        query = query[:8_000]
    page = client.get(f"/faq?{query}")
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "onfocus=" not in re.sub(r'value="[^"]*"', "", page.text).replace("‘&quot; autofocus onfocus=", "")


def test_the_older_korean_keyboard_finds_the_same(client):
    """A Mac may send syllables taken apart (NFD)."""
    assert questions_on(client.get("/faq", {"q": "\u110c\u1175\u11ab\u110c\u1165"})) == ["supported-phones"]


@pytest.mark.parametrize("slug", ["nothing", "FEE", "fee/", "%00", "..", "a" * 300])
def test_a_question_that_does_not_exist_is_not_found(client, slug):
    assert client.get(f"/faq/{slug}").status_code == 404


def test_a_question_taken_back_is_nowhere(client):
    Question.objects.filter(slug="fee").update(shown=False)
    assert client.get("/faq/fee").status_code == 404
    assert "fee" not in questions_on(client.get("/faq"))
    assert "/faq/fee<" not in client.get("/sitemap.xml").text


# --- Notices ----------------------------------------------------------------------------------------------------------


def announce(title, *, after=YESTERDAY, body="내용"):
    return Announcement.objects.create(
        title_ko=title, title_en=f"{title} (en)", body_ko=body, body_en=body, published_at=timezone.now() + after
    )


def test_a_notice_appears_when_its_time_has_come_and_not_before(client):
    out, waiting = announce("점검 안내"), announce("내일의 소식", after=TOMORROW)
    assert "점검 안내" in client.get("/notices").text
    assert "점검 안내 (en)" in client.get("/en/notices").text
    assert client.get(f"/notices/{out.pk}").status_code == 200
    for path in ("/", "/notices", "/sitemap.xml"):
        assert "내일의 소식" not in client.get(path).text
        assert str(waiting.pk) not in client.get(path).text
    assert client.get(f"/notices/{waiting.pk}").status_code == 404


def test_many_notices_are_turned_over_page_by_page(client):
    for number in range(25):
        announce(f"소식 {number:02}", after=timedelta(hours=-number))
    newest, older = client.get("/notices").text, client.get("/notices?page=2").text
    assert "소식 00" in newest
    assert "소식 24" not in newest
    assert "소식 24" in older
    for nonsense in ("0", "-1", "99", "x", "%00", "1e9"):
        assert client.get(f"/notices?page={nonsense}").status_code == 200


@pytest.mark.parametrize(
    "markdown",
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "[x](data:text/html,x)",
     "![x](//elsewhere.example/x.png)", "<style>*{}</style>"],
)  # fmt: skip
def test_a_notice_can_carry_words_and_links_but_nothing_that_runs(client, markdown):
    page = client.get(f"/notices/{announce('소식', body=markdown).pk}").text
    inside = re.search(r'<div class="prose">(.*?)</div>', page, re.DOTALL)[1]
    assert not re.search(r"<(script|style|img|iframe)|(javascript|data):[^<]*\"", inside)


# --- What is agreed on ------------------------------------------------------------------------------------------------


def document(version, *, kind="terms", after=YESTERDAY, body="## 제1조\n\n달라진 말입니다."):
    return ConsentDocument.objects.create(
        kind=kind, version=version, starts_at=timezone.now() + after, required=True, title_ko="새 약관",
        title_en="New terms", body_ko=body, body_en=body,
    )  # fmt: skip


def test_the_newest_version_that_began_holds_and_older_ones_stay_readable(client):
    document("2026-11-22")
    now, before = client.get("/terms").text, client.get("/terms?version=2026-01-01").text
    assert "달라진 말입니다." in now
    assert "제12조" in before
    assert "지난 판입니다." in before
    assert '<meta name="robots" content="noindex">' in before
    assert "?version=2026-01-01" in now


def test_a_new_version_shows_what_it_changed(client):
    old = ConsentDocument.objects.get(kind="terms")
    document("2026-11-22", body=old.body_ko.replace("위약금이 없습니다", "위약금이 정말 없습니다"))
    page = client.get("/terms").text
    assert re.search(r'<del class="change">.*?위약금이 없습니다', page, re.DOTALL)
    assert re.search(r'<ins class="change">.*?위약금이 정말 없습니다', page, re.DOTALL)
    assert page.count('class="change"') == 2


def test_a_version_to_come_is_not_shown_as_if_it_held(client):
    document("2099-01-01", after=TOMORROW)
    assert "달라진 말입니다." not in client.get("/terms").text
    assert client.get("/terms?version=2099-01-01").status_code == 404
    assert client.get("/consents/terms/2099-01-01").status_code == 404


@pytest.mark.parametrize("version", ["", "x", "%00", "2026-01-01'", "9" * 500])
def test_a_version_that_does_not_exist_is_not_found(client, version):
    assert client.get(f"/terms?version={version}").status_code == 404
    assert client.get(f"/consents/terms/{version or 'x'}").status_code == 404


@pytest.mark.parametrize("change", ["update", "delete"])
def test_a_document_that_began_is_never_changed(change):
    terms = ConsentDocument.objects.filter(kind="terms")
    with pytest.raises(IntegrityError), transaction.atomic():
        terms.update(body_ko="다른 말") if change == "update" else terms.delete()


def test_a_document_to_come_may_still_be_written():
    draft = document("2099-01-01", after=TOMORROW)
    assert ConsentDocument.objects.filter(pk=draft.pk).update(body_ko="더 나은 말") == 1
    draft.delete()


def test_every_consent_says_in_three_lines_what_it_is_about():
    for one in ConsentDocument.objects.all():
        assert (len(one.summary_ko), len(one.summary_en)) == (3, 3)
    assert set(ConsentDocument.objects.filter(required=True).values_list("kind", flat=True)) == {
        "terms", "collect", "share",
    }  # fmt: skip


# --- The words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(TEXTS.glob("*.md")), ids=lambda path: path.name)
def test_a_text_keeps_to_our_words_and_its_tone(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search("파트너|릴리스|죄송|하시겠습니까|잘못 입력|고객님|!(?!\\[)", text)
    name, language, _ = path.name.split(".")
    if language == "ko" and name == "questions":
        assert "습니다" not in text
    elif language == "ko":
        assert not re.search(r"(?:해요|예요|이에요|어요|아요)[ .]", text)


def test_both_languages_say_the_same_number_of_things():
    for korean in TEXTS.glob("*.ko.md"):
        english = korean.with_name(korean.name.replace(".ko.", ".en."))
        shapes = [
            re.findall(r"^(#+|>|-|\d+\.)", one.read_text(encoding="utf-8"), re.MULTILINE) for one in (korean, english)
        ]
        assert shapes[0] == shapes[1], korean.name


# --- For machines -----------------------------------------------------------------------------------------------------


def test_the_sitemap_names_every_page_in_both_languages(client):
    answer = client.get("/sitemap.xml")
    assert answer["Content-Type"] == "application/xml"
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    named = {one.text.removeprefix(settings.BASE_URL) for one in ET.fromstring(answer.content).iter(f"{space}loc")}
    public = [path for path in every_page() if path not in CONSENTS]
    assert named == {address for path in [*public, "/join", "/cancel"] for address in (path, in_english(path))}


def test_robots_stay_out_of_what_is_personal(client):
    answer = client.get("/robots.txt")
    assert answer["Content-Type"].startswith("text/plain")
    barred = re.findall("Disallow: (.+)", answer.text)
    assert {"/my", "/en/my", "/join/", "/window/", "/admin/"} <= set(barred)
    assert not [path for path in FIXED[1:] for start in barred if path.startswith(start)]
    assert f"Sitemap: {settings.BASE_URL}/sitemap.xml" in answer.text


# --- When there is nothing to show ------------------------------------------------------------------------------------


def test_what_is_not_there_is_said_in_the_language_of_the_address(client):
    for path, words in {"/nothing": "찾는 페이지가 없어요", "/en/nothing": "There is no such page"}.items():
        page = client.get(path)
        assert page.status_code == 404
        assert words in page.text
        assert '<meta name="robots" content="noindex">' in page.text
        assert 'rel="canonical"' not in page.text


def test_the_other_language_of_a_missing_page_is_the_first_page(client):
    assert 'href="/en/" lang="en"' in client.get("/nothing").text
    assert 'href="/" lang="ko"' in client.get("/en/nothing").text


def test_an_error_page_needs_nothing_that_may_be_broken(django_assert_num_queries):
    request = RequestFactory().get("/")
    with django_assert_num_queries(0), translation.override("ko"):
        pages = {
            500: defaults.server_error(request),
            503: render(request, "503.html", status=503),
            403: defaults.permission_denied(request, PermissionDenied()),
        }
    for status, page in pages.items():
        assert page.status_code == status
        assert "1566-4380" in page.text
        assert 'class="tail"' in page.text
    assert "본인확인도 시작되지 않았어요." in pages[503].text


def test_markdown_is_rendered_once_for_each_text():
    public_pages.html.cache_clear()
    for _ in range(3):
        public_pages.html("한 번만")
    assert public_pages.html.cache_info().misses == 1


# --- Written at the desk ----------------------------------------------------------------------------------------------


def test_the_desk_announces_and_takes_back_but_never_deletes(client):
    desk = agent("view_announcement", "add_announcement", "change_announcement", "delete_announcement")
    written = {"title_ko": "점검 안내", "title_en": "Maintenance", "body_ko": "새벽 2시입니다.", "body_en": "At 2."}
    at = {"published_at": "2026-01-02 03:04"}
    assert desk.post("/admin/subscriptions/announcement/add/", written | at).status_code == 302
    made = Announcement.objects.get(title_ko="점검 안내")
    assert "점검 안내" in client.get("/notices").text
    assert desk.post(f"/admin/subscriptions/announcement/{made.pk}/delete/", {"post": "yes"}).status_code == 403
    assert AccessRecord.objects.filter(what="announcement.add").exists()


def test_the_address_of_a_question_stays_when_its_words_change(client):
    desk = agent("view_question", "change_question")
    page = desk.get("/admin/subscriptions/question/fee/change/").text
    assert "자주 묻는 질문" in page
    assert 'name="slug"' not in page


def test_who_only_handles_customers_writes_nothing_for_the_site():
    assert agent("find_customer").get("/admin/subscriptions/announcement/add/").status_code == 403
