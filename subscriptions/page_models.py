import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class Announcement(models.Model):
    """A notice on the public site (공지). Bodies are Markdown without HTML."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title_ko = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120)
    body_ko = models.TextField()
    body_en = models.TextField()
    published_at = models.DateTimeField()
    """In the future: not shown yet."""

    class Meta:
        verbose_name = verbose_name_plural = _("공지")
        indexes = [models.Index(name="announcement_newest", fields=["-published_at"])]

    def __str__(self) -> str:
        return self.title_ko


class Question(models.Model):
    """A question of the FAQ with its answer and its own address (`slug`). Answers are Markdown without HTML."""

    class Group(models.TextChoices):
        USING = "using", _("이용")
        JOINING = "joining", _("가입")
        CHANGES = "changes", _("변경")
        FEE = "fee", _("요금")
        LEAVING = "leaving", _("해지")

    slug = models.SlugField(max_length=50, primary_key=True)
    group = models.CharField(max_length=8, choices=Group)
    position = models.PositiveSmallIntegerField()
    question_ko = models.CharField(max_length=200)
    question_en = models.CharField(max_length=200)
    answer_ko = models.TextField()
    answer_en = models.TextField()
    shown = models.BooleanField(default=True)

    class Meta:
        verbose_name = verbose_name_plural = _("자주 묻는 질문")
        ordering = ["position"]

    def __str__(self) -> str:
        return self.question_ko
