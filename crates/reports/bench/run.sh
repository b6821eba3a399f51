#!/usr/bin/env bash
# Benchmark of `report alb`: the same log, in the same run, through Firebreak, DuckDB, zcat with mawk, and GoAccess.
# usage: crates/reports/bench/run.sh [LINES]      (1,000,000 unless told; makes the log, builds in release first)
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../../.." && pwd)
# shellcheck source=tools/pinned.sh
source "$root/tools/pinned.sh"

"$root/tools/setup.sh" --report-peers >/dev/null
python=$(pinned_venv venv-reports "$here/requirements.txt")/bin/python
say "building (release)"
(cd "$root" && cargo build --quiet --release --package firebreak-reports --examples)
release=$(cd "$root" && realpath -- "${CARGO_TARGET_DIR:-target}/release/examples")
exec "$python" "$here/compare.py" "$release" "${1:-1000000}"
