#!/bin/sh
# manage.py as the units run it, from root's shell: deploy/manage.sh doctor (docs/deployment.md).
#
# As the user ansim and the application's role, with the secrets as credentials: its unit's name begins as ours do, and so
# brings ansim-.service.d/common.conf. Root itself would leave files behind that the application cannot write.
set -eu
unit="ansim-manage-$$.service"
if [ -t 0 ] && [ -t 1 ]; then how=--pty; else how=--pipe; fi
exec systemd-run --quiet --wait --collect "$how" --unit="$unit" \
    --property=LoadCredential=DATABASE_URL:/etc/ansim/secrets/DATABASE_URL \
    --setenv="DATABASE_URL_FILE=/run/credentials/$unit/DATABASE_URL" \
    /opt/ansim/.venv/bin/python manage.py "$@"
