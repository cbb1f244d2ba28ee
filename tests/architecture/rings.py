"""Which module is what (design.md section 1). A new module is named here, or its name says it by a pattern.

LAYERS: whom an import may reach, lowest first. RINGS: the same inside an app; the first pattern that fits counts.
"""

import ast
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("ansim", "pushes", "verification", "subscriptions")

# Wiring may name anyone. Nobody but wiring names the demo.
WIRING = ("ansim", "ansim.urls", "ansim.settings", "ansim.celery", "ansim.wsgi")
LAYERS = ("ansim.lib", "ansim", "pushes", "verification", "subscriptions", "ansim.demo")

BASE, OUT, STORY, DOORWAY, DOOR = RINGS = ("base", "out", "story", "doorway", "door")
TABLE = (
    # Someone calls us. Nobody imports these, no door imports another one; `ansim.urls` and Django find them.
    (DOOR, "*.views *_api *.admin *.clock *.window *.desk *.management.* *.partner_docs.pages *_site"),
    # What a door, or several, are made of: who may come in, forms, pages.
    (DOORWAY, "*_auth *_door *_forms *_pages *.partner_docs *.partner_docs.* *.idempotency *.templatetags.*"),
    (DOORWAY, "*.words *_words *_deeds *.bills"),
    # The rules, in transactions.
    (STORY, "*.flow *.routing *.ending *.unlocking *.registration *.controls *.releases *.not_me *.letters *.proofs"),
    (STORY, "*.owner_mail *.owner_notices"),
    (STORY, "*.protection *.sandbox *.breaker *.results *.identity *.delivery"),
    (STORY, "*.partner_access *.partner_keys *.partner_settings *.partner_figures *.partner_directory"),
    (STORY, "*.enrolment *.eligibility *.consents *.re_registration *.leaving *.pending *.proving *.waiting_room"),
    (STORY, "*.timeline *.lifecycle *.carrier_events *.reconciliation"),
    (STORY, "*.billing *.closing *.statements *.finance *.forecast"),
    (STORY, "*.sessions *.owner_history *.customer_search *.customer_record"),
    (STORY, "ansim.rates ansim.audit ansim.review ansim.staff ansim.staff_sign_in"),
    (STORY, "ansim.resealing ansim.former_keys ansim.rewrapping"),
    (STORY, "ansim.retention ansim.audit_cut *.ageing *.purging"),
    # We call someone.
    (OUT, "*.tasks *.gateways *.gateways.* *.carrier *.charges *.webhooks *.outbox *_outbox *_post"),
    (STORY, "ansim.heartbeat ansim.work *.health *.checkup"),
    (OUT, "ansim.once *.bell *.ear *.drain *.checkpoint pushes.metrics verification.metrics subscriptions.metrics"),
    # Rows, and sums over nothing but what they are given.
    (BASE, "ansim.lib.* *.models *_models *.states *.lines *.limits *.codes *.receipts *.regions *.sms *.hpke"),
    (BASE, "*.notices *.partner_users ansim.roles"),
)
# Django starts with these: an app's own wiring, of which nobody asks anything.
BEGINNINGS = ("*.apps", "*.checks")


def modules():
    """Every module of the product, by its dotted name. Packages that hold nothing are none."""
    paths = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    return {_name(path): path for path in paths if path.read_text().strip()}


def _name(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports(path, known):
    """The modules of ours that this one needs to run. What is imported for types alone is not needed."""
    tree = ast.parse(path.read_text())
    types_only = {node for found in ast.walk(tree) if _for_types(found) for node in ast.walk(found)}
    for node in ast.walk(tree):
        if node in types_only:
            continue
        if isinstance(node, ast.Import):
            yield from (_nearest(alias.name, known) for alias in node.names if alias.name.split(".")[0] in APPS)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in APPS:
            yield from (_nearest(f"{node.module}.{alias.name}", known) for alias in node.names)


def _for_types(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _nearest(name, known):
    while name not in known and "." in name:
        name = name.rpartition(".")[0]
    return name


def layer(name):
    return max((at for at in LAYERS if name == at or name.startswith(f"{at}.")), key=len)


def ring(name):
    """None for a beginning; KeyError for a module that nobody placed."""
    if any(fnmatchcase(name, pattern) for pattern in BEGINNINGS):
        return None
    for found, patterns in TABLE:
        if any(fnmatchcase(name, pattern) for pattern in patterns.split()):
            return found
    raise KeyError(name)
