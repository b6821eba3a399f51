#!/bin/sh
# The offline gate of terraform/, sumo/ and datadog/: sets up its tools, then runs check.py with the arguments given.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
venv=$("$here/setup.sh" | tail -n 1)
exec "$venv/bin/python" "$here/check.py" "$@"
