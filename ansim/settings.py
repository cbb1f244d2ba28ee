"""All settings, from the environment only (`.env.example` lists every name; NAME_FILE names a file that holds NAME).

In the demo the launcher writes the names into `$RUN_DIR/env`; a value in the real environment wins over that file.
"""

import logging
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from ansim.lib.secret_files import Env

ROOT = Path(__file__).resolve().parent.parent
env = Env()
RUN_DIR = Path(env.str("RUN_DIR", default=str(ROOT / ".run")))
if (RUN_DIR / "env").is_file():
    env.read_env(RUN_DIR / "env")

# --- Django ---------------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])  # former ones: what they signed still counts
DEBUG = False
DEMO = env.bool("DEMO", default=False)
BASE_URL = env.str("BASE_URL").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(BASE_URL).hostname])
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])  # networks of ours whose X-Forwarded-For counts
ROOT_URLCONF = "ansim.urls"
WSGI_APPLICATION = "ansim.wsgi.application"
APPEND_SLASH = False
AUTH_USER_MODEL = "ansim.Agent"
AUTHENTICATION_BACKENDS = ["ansim.desk_auth.Roles"]
AUTH_PASSWORD_VALIDATORS = [  # of staff; customers have no password here
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "ansim",
    "pushes",
    "verification",
    "subscriptions",
    "ansim.apps.Desk",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",  # its templates, for FORM_RENDERER
    "django_otp",
    "django_otp.plugins.otp_totp",
    "rest_framework",
    *(["ansim.demo"] if DEMO else []),
]
MIDDLEWARE = [
    "ansim.lib.correlator.Correlator",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ansim.lib.content_policy.ContentPolicy",
    "ansim.lib.problem.Refusals",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "ansim.lib.straight.Straight",  # what follows is for people's pages
    "django.contrib.sessions.middleware.SessionMiddleware",
    "ansim.lib.languages.Languages",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "ansim.templatetags.korean"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Data -----------------------------------------------------------------------------------------
DATABASES = {"default": {**env.db_url("DATABASE_URL"), "CONN_MAX_AGE": 600}}
# Statements are planned once a connection, not once a request (docs/adr/0033).
_PLANNED_ONCE = {"server_side_binding": True, "prepare_threshold": 2}
DATABASES["default"]["OPTIONS"] = {"connect_timeout": 5, **_PLANNED_ONCE, **DATABASES["default"].get("OPTIONS", {})}
REDIS_URL = env.str("REDIS_URL")
REDIS_TIMEOUT = 0.5  # seconds; limits fall back to the database after it

# --- Language and time ----------------------------------------------------------------------------
LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", "한국어"), ("en", "English")]
LOCALE_PATHS = [ROOT / "locale"]
TIME_ZONE = "Asia/Seoul"
USE_TZ = True

# --- Static files ---------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "static"]
STATIC_ROOT = None if DEMO else env.str("STATIC_ROOT", default=str(RUN_DIR / "static"))  # the demo serves the sources
WHITENOISE_USE_FINDERS = DEMO
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Browser safety -------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"  # with no-referrer browsers send `Origin: null` with our own forms
SECURE = BASE_URL.startswith("https://")
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [BASE_URL]
OTP_TOTP_ISSUER = "Ansim"
OTP_TOTP_THROTTLE_FACTOR = 0  # ansim.staff_sign_in counts and locks, exactly

# --- The desk -------------------------------------------------------------------------------------
DESK_ALLOWED_IPS = env.list("DESK_ALLOWED_IPS", default=[])  # networks; none: from everywhere
DESK_IDLE = env.int("DESK_IDLE", default=900)  # seconds
DESK_SEARCHES_PER_HOUR = env.int("DESK_SEARCHES_PER_HOUR", default=60)  # of one agent
DESK_REVEALS_PER_HOUR = env.int("DESK_REVEALS_PER_HOUR", default=20)

# --- Doors ----------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 65_536  # api.md: 413 over 64 KiB
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["ansim.lib.access.NoAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["ansim.lib.strict_json.Json"],
    "DEFAULT_PARSER_CLASSES": ["ansim.lib.strict_json.StrictJson"],
    "EXCEPTION_HANDLER": "ansim.lib.problem.answer",
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": "iso-8601",
}

SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": [],  # choices stay where they are used; the hook would name them after their fields
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,  # as in the doors' own table
    "DISABLE_ERRORS_AND_WARNINGS": True,  # it looks at every door and knows only the partner's
}

# --- Keys (outside the database) ------------------------------------------------------------------
SEAL_KEYS = env.list("SEAL_KEYS")  # "id:base64 of 32 bytes", the first seals, all open
FINGERPRINT_KEY = env.str("FINGERPRINT_KEY")
CODE_KEY = env.str("CODE_KEY")
PASSWORD_PEPPER = env.str("PASSWORD_PEPPER")
AUDIT_KEY = env.str("AUDIT_KEY")
NUMBER_SIGNING_KEYS = env.list("NUMBER_SIGNING_KEYS")  # "kid:base64 of PKCS8", the first signs, all are published
RECEIPT_SIGNING_KEYS = env.list("RECEIPT_SIGNING_KEYS")

# --- The record of access (docs/adr/0014) ----------------------------------------------------------
AUDIT_CHECKPOINT = Path(env.str("AUDIT_CHECKPOINT", default=str(RUN_DIR / "audit-checkpoint")))

# --- Joining when many want to (subscriptions.waiting_room) ------------------------------------------
JOIN_PLACES = env.int("JOIN_PLACES", default=500)  # people between the consents and the end at the same time
JOIN_PER_MINUTE = env.int("JOIN_PER_MINUTE", default=300)  # newcomers
SITE_SLOTS = env.int("SITE_SLOTS", default=2)  # threads of a web process (8) that may wait for the carrier on the site

# --- The outside ----------------------------------------------------------------------------------
CARRIER_URL = env.str("CARRIER_URL").rstrip("/")
CARRIER_TOKEN = env.str("CARRIER_TOKEN")
CARRIER_EVENTS_SECRET = env.str("CARRIER_EVENTS_SECRET")
RECONCILE_PER_SECOND = env.int("RECONCILE_PER_SECOND", default=50)  # look-ups of a sweep over all subscriptions
CARRIER_TIMEOUT = 3.0  # seconds in all; api.md section 1
FREE_SAME_DAY = env.bool("FREE_SAME_DAY", default=True)  # who joins and leaves on one day pays nothing; mission.md 6
CANCELLATION_DELAY = env.int("CANCELLATION_DELAY", default=86_400)  # seconds a desk's cancellation waits
RESET_LIFE = env.int("RESET_LIFE", default=604_800)  # seconds a reset of the app can be finished, after its delay
PASSWORD_TRIES = 5  # wrong app passwords in a row before the lock; mission.md section 5
SMS_GATEWAY = env.str("SMS_GATEWAY", default="http")
SMS_URL = env.str("SMS_URL", default="").rstrip("/")
SMS_TOKEN = env.str("SMS_TOKEN", default="")
SMS_FROM = env.str("SMS_FROM", default="15664380")
FCM_CREDENTIALS = env.str("FCM_CREDENTIALS")
FCM_URL = env.str("FCM_URL", default="https://fcm.googleapis.com").rstrip("/")
APNS_KEY_FILE = env.str("APNS_KEY_FILE")
APNS_KEY_ID = env.str("APNS_KEY_ID")
APNS_TEAM_ID = env.str("APNS_TEAM_ID")
APNS_TOPIC = env.str("APNS_TOPIC", default="kr.ansim.app")
APNS_HOST = env.str("APNS_HOST", default="api.push.apple.com")
APNS_PORT = env.int("APNS_PORT", default=443)
APNS_CA_FILE = env.str("APNS_CA_FILE", default="")
GATEWAY_TIMEOUT = 8.0  # seconds for one push or SMS; well under pushes.outbox.LEASE
_mail = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = GATEWAY_TIMEOUT
EMAIL_OFFERED = EMAIL_BACKEND.endswith("smtp.EmailBackend")  # without a mail server my page takes no address
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="ansim@localhost")
PURGE_AT_NIGHT = env.bool("PURGE_AT_NIGHT", default=True)  # by the rules of retention (ansim.retention)
WORLD_URL = env.str("WORLD_URL", default="").rstrip("/")

# --- What the processes count (docs/adr/0023) -------------------------------------------------------
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # without one nobody may ask
METRICS_DIR = Path(env.str("METRICS_DIR", default=str(RUN_DIR / "metrics")))
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_DIR)  # prometheus_client takes it from there alone

# --- Celery: a doorbell; the rows are the truth (docs/adr/0002) -----------------------------------
CELERY_BROKER_URL = env.str("BROKER_URL", default=REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Without max_retries a bell rung while Redis is away holds up the request for 6 s, whatever PUBLISH_RETRY says.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 1, "max_retries": 0}
CELERY_BROKER_TRANSPORT_OPTIONS["ack_emulation"] = False  # a bell that dies with its worker is no loss (docs/adr/0029)
CELERY_DB_REUSE_MAX = sys.maxsize  # Celery would connect anew for each task; ansim.work keeps connections fresh
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_DISABLE_RATE_LIMITS = True  # we have none; Celery would look for them at each task
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE

# --- Logs: the correlator, never a number or a name -----------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ansim.lib.correlator.LogLine"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["out"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": ["out"], "level": "WARNING", "propagate": False},
        "django.request": {"level": "CRITICAL"},  # ansim.lib.correlator logs requests, without secrets
        "django.security": {"level": "CRITICAL"},  # quotes whole paths and hosts; the request's line has the status
        "celery.app.trace": {"level": "WARNING"},  # two lines a tick, several ticks a second
        "celery.worker.strategy": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},  # logs addresses in full
        "httpcore": {"level": "WARNING"},
    },
}
# No line of ours says them, and finding them out is a quarter of what a line costs (logging HOWTO, "Optimization").
logging.logThreads = logging.logMultiprocessing = False
logging._srcfile = None  # which file and line wrote it
