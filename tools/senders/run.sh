#!/usr/bin/env bash
# Real senders against the real binary: Prometheus and pairs of Alertmanagers, old and new, send to `firebreak serve`.
# usage: tools/senders/run.sh [--record DIR]      (FIREBREAK=PATH uses that binary and builds nothing)
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../.." && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/firebreak/target}
export PYTHONPATH=$root/tools PYTHONDONTWRITEBYTECODE=1

# tool NAME: the folder of a tool, or nothing and a line that CI does not let pass.
tool() {
    local line
    if line=$("$root/tools/setup.sh" "--$1"); then
        printf '%s\n' "${line#*=}"
    else
        printf 'SKIPPED: the senders need %s, which cannot be had here\n' "$1" >&2
    fi
}

prometheus=$(tool prometheus)
[ -n "$prometheus" ] || exit 0
alertmanagers=("$prometheus/prometheus-alertmanager")
newer=$(tool alertmanager)
[ -z "$newer" ] || alertmanagers+=("$newer/alertmanager")

binary=${FIREBREAK:-}
if [ -z "$binary" ]; then
    (cd "$root" && cargo build --locked --package firebreak-cli)
    binary=$CARGO_TARGET_DIR/debug/firebreak
fi

work=$(mktemp -d)
stories=()
# shellcheck disable=SC2317,SC2329 # the trap calls it
clean_up() {
    for story in "${stories[@]}"; do kill -TERM "$story" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT HUP

# One story for each Alertmanager, side by side: each has its own Firebreak and its own ports.
for index in "${!alertmanagers[@]}"; do
    mkdir "$work/$index"
    "${PYTHON:-python3}" "$here/story.py" --firebreak "$binary" --prometheus "$prometheus" \
        --alertmanager "${alertmanagers[index]}" --folder "$work/$index" "$@" >"$work/$index.out" 2>&1 &
    stories+=($!)
done
code=0
for index in "${!stories[@]}"; do
    wait "${stories[index]}" || code=1
    cat "$work/$index.out"
done
stories=()
exit "$code"
