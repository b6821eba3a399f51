#!/usr/bin/env bash
# Cold start benchmark: alert_ingest beside the same job in Python 3.11 with boto3. Fails when a limit is broken.
# usage: crates/alert_ingest/bench/run.sh [BOOTSTRAP_OR_ZIP [OPTION...]]      (without: builds the binary first)
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../../.." && pwd)
# shellcheck source=tools/pinned.sh
source "$root/tools/pinned.sh"

if [ $# -gt 0 ]; then
    binary=$(realpath -- "$1")
    shift
else
    say "building alert_ingest with the lambda profile (about five minutes the first time)"
    (cd "$root" && cargo build --quiet --profile lambda --package alert_ingest)
    binary=$(cd "$root" && realpath -- "${CARGO_TARGET_DIR:-target}/lambda/alert_ingest")
fi
venv=$(pinned_venv venv-bench "$here/requirements.txt")
say "measuring (about ten seconds)"
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" "$here/cold_start.py" "$binary" "$@"
