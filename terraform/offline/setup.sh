#!/bin/sh
# Makes the virtual environment of the offline gate and prints its path on the last line. Does nothing when it exists.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tools=${FIREBREAK_TOOLS:-$HOME/.cache/firebreak/tools}
hash=$(cat "$here/requirements.txt" "$here/constraints.txt" | sha256sum | cut -c1-12)
venv=$tools/venv-$hash

command -v python3.11 >/dev/null || {
    echo "setup: python3.11 is not on PATH; the offline gate is pinned to it" >&2
    exit 1
}

if [ ! -f "$venv/.complete" ]; then
    echo "setup: making $venv" >&2
    mkdir -p "$tools"
    rm -rf "$venv"
    python3.11 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet \
        --requirement "$here/requirements.txt" --constraint "$here/constraints.txt" >&2
    touch "$venv/.complete"
fi
echo "$venv"
