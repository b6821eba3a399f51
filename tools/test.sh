#!/usr/bin/env bash
# Everything that must hold, step by step, with the time of each. A step that skips anything fails in CI.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/firebreak/target}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=()
failed=()

step() {
  local name=$1
  shift
  echo "=== $name"
  local begin=$SECONDS
  if "$@" 2>&1 | tee -a "$log"; then
    passed+=("$(printf '%-40s %4d s' "$name" $((SECONDS - begin)))")
  else
    failed+=("$(printf '%-40s %4d s' "$name" $((SECONDS - begin)))")
  fi
}

step "formatting" cargo fmt --all --check
step "clippy, warnings as errors" cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
step "unit, property, contract and local story" \
  tools/with_servers.sh --ministack --dynamodb-local -- cargo test --workspace --all-features --locked
step "a report in a PDF viewer" crates/reports/tests/viewer.sh
step "fuzzing, a short run" make --no-print-directory fuzz CASES=200000
step "ten thousand seeds and the model check" make --no-print-directory simulate
step "runbooks" make --no-print-directory runbooks
step "real senders: Prometheus and Alertmanager" tools/senders/run.sh
step "terraform, offline" terraform/offline/check.sh
step "the story on an AWS emulator" terraform/emulator/run.sh

echo "=== summary"
printf 'ok      %s\n' "${passed[@]:-}"
if grep -q '^SKIPPED' "$log"; then
  grep '^SKIPPED' "$log" | sort -u
  [ -z "${CI:-}" ] || failed+=("something was skipped, and CI allows none of it")
fi
[ "${#failed[@]}" -eq 0 ] || printf 'FAILED  %s\n' "${failed[@]}"
echo "${#passed[@]} passed, ${#failed[@]} failed"
[ "${#failed[@]}" -eq 0 ]
