#!/bin/sh
# One back-up of the database: deploy/backup.sh <file with the database's URL> <folder>. See docs/backup.md.
#
# A custom-format dump: consistent (one snapshot), compressed, restorable in parallel. Personal data in it are sealed as
# they are in the database; the keys are not in it and are kept apart from it. Names are dates; the last 14 stay.
set -eu
umask 077
[ $# = 2 ] || { echo "deploy/backup.sh <file with the database's URL> <folder>" >&2; exit 2; }
keep=14
name="$2/ansim-$(date -u +%Y%m%dT%H%M%SZ).dump"
# The address goes by a service file: in an argument everybody on this host could read its password.
service=$(mktemp)
trap 'rm -f "$service" "$name.part"' EXIT
python3 - "$1" > "$service" <<'PYTHON'
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

url = urlsplit(open(sys.argv[1]).read().strip())
told = {"host": url.hostname, "port": url.port, "dbname": url.path[1:], "user": url.username, "password": url.password}
print("[ansim]", *(f"{name}={unquote(str(value))}" for name, value in [*told.items(), *parse_qsl(url.query)] if value), sep="\n")
PYTHON
PGSERVICEFILE="$service" PGSERVICE=ansim "${PG_DUMP:-pg_dump}" --format=custom --schema=public --no-owner --no-privileges --file="$name.part"
mv "$name.part" "$name"
ls -1 "$2"/ansim-*.dump | sort -r | tail -n +$((keep + 1)) | xargs -r rm -f
echo "$name"
