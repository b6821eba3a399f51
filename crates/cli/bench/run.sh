#!/usr/bin/env bash
# Intake benchmark: `firebreak serve` with every alert on disk, beside Alertmanager (in memory) and the same job in Python.
# usage: crates/cli/bench/run.sh [OPTION...]      (options of intake.py; builds the release binaries first)
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../../.." && pwd)
# shellcheck source=tools/pinned.sh
source "$root/tools/pinned.sh"

say "building firebreak and the load generator (release)"
(cd "$root" && cargo build --quiet --release --package firebreak-cli --bin firebreak --example intake_load)
release=$(cd "$root" && realpath -- "${CARGO_TARGET_DIR:-target}/release")
exec python3 "$here/intake.py" "$release/firebreak" "$release/examples/intake_load" "$@"
