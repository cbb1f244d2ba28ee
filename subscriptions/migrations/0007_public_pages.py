"""The site's first texts: questions, what is agreed on, a notice.

The texts are Markdown beside this file, `<name>.<language>.md`. Later ones are rows: at the desk, or a migration.
"""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import migrations

TEXTS = Path(__file__).parent / "public_texts"
LANGUAGES = ("ko", "en")
BEGINS = datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Seoul"))
OPENED = datetime(2026, 11, 23, tzinfo=ZoneInfo("Asia/Seoul"))
DOCUMENTS = {"terms": True, "collect": True, "share": True, "marketing": False, "privacy": False}  # required to join?


def fill(apps, schema_editor):
    for kind, required in DOCUMENTS.items():
        columns = {"kind": kind, "version": BEGINS.date().isoformat(), "starts_at": BEGINS, "required": required}
        _add(apps, "ConsentDocument", columns | _in_both(kind))
    _add(apps, "Announcement", {"published_at": OPENED} | _in_both("notice", summary=False))
    for position, (korean, english) in enumerate(zip(_questions("ko"), _questions("en"), strict=True), start=1):
        slug, group, question, answer = korean
        if english[:2] != (slug, group):
            raise ValueError(f"{slug} is not the same question in both languages")
        texts = {"question_ko": question, "answer_ko": answer, "question_en": english[2], "answer_en": english[3]}
        _add(apps, "Question", {"slug": slug, "group": group, "position": position} | texts)


def empty(apps, schema_editor):
    """Only what was put here; a document that somebody agreed to stays and stops this."""
    slugs = [question[0] for question in _questions("ko")]
    apps.get_model("subscriptions", "Question").objects.filter(slug__in=slugs).delete()
    apps.get_model("subscriptions", "Announcement").objects.filter(published_at=OPENED).delete()
    apps.get_model("subscriptions", "ConsentDocument").objects.filter(starts_at=BEGINS).delete()


def _add(apps, model, columns):
    apps.get_model("subscriptions", model).objects.create(**columns)


def _in_both(name, *, summary=True):
    """title, body and, where there is one, summary of a text: `# title`, lines of `> summary`, the rest is the body."""
    columns = {}
    for language in LANGUAGES:
        lines = _read(name, language).splitlines()
        columns[f"title_{language}"] = lines[0].removeprefix("# ")
        columns[f"body_{language}"] = "\n".join(line for line in lines[1:] if not line.startswith("> ")).strip()
        if summary:
            columns[f"summary_{language}"] = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
    return columns


def _questions(language):
    """(slug, group, question, answer) of each `## slug group`, `# question`, answer."""
    for part in _read("questions", language).removeprefix("## ").split("\n## "):
        head, question, answer = part.split("\n", 2)
        yield *head.split(), question.removeprefix("# "), answer.strip()


def _read(name, language):
    return (TEXTS / f"{name}.{language}.md").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0006_prices_and_charges")]

    operations = [
        migrations.AlterModelOptions(
            name="announcement", options={"verbose_name": "공지", "verbose_name_plural": "공지"}
        ),
        migrations.AlterModelOptions(
            name="question",
            options={
                "ordering": ["position"],
                "verbose_name": "자주 묻는 질문",
                "verbose_name_plural": "자주 묻는 질문",
            },
        ),
        migrations.RunPython(fill, empty),
    ]
