import shutil
from urllib.parse import urlsplit

import pytest

from tests.client.fixtures import bookshop, town, world
from tests.deployment.servers import Database, program, run

__all__ = ["bookshop", "town", "world"]


@pytest.fixture(scope="session")
def mina(town):
    """A member whose app was registered before the back-up, with something in the history."""
    return town.member()


@pytest.fixture(scope="session")
def restored(town, mina, bookshop, tmp_path_factory):
    """The running copy, backed up by `deploy/backup.sh` and restored as docs/backup.md says."""
    folder = tmp_path_factory.mktemp("backup")
    asked = bookshop.ask(mina.person)
    bookshop.confirm(asked["id"], mina.number(asked["id"]))
    town.manage("audit", "list", "--subject", mina.person["contract"])  # a look, on record
    made = Database(town.handles(), "ansim_restored", folder=folder)
    made.make_roles()
    (folder / "url").write_text(made.url("backup", of=urlsplit(town.handles()["database_url"]).path) + "\n")
    dumped = run(["deploy/backup.sh", str(folder / "url"), str(folder)], env={"PG_DUMP": program("pg_dump")})
    shutil.copy(f"{town.handles()['env']['RUN_DIR']}/audit-checkpoint", folder)
    made.create()
    restore = ["--no-owner", "--no-privileges", "--exit-on-error", "--schema=public", "--dbname", made.url("owner")]
    run([program("pg_restore"), *restore, dumped.strip()])
    made.grant()
    yield made
    made.drop()
