#!/usr/bin/env bash
# Evaluates forest, robust z-score and scikit-learn on the same labelled series and prints the table of docs/DETECTION.md.
# usage: crates/detection/evaluation/run.sh [--write]      (--write puts the table into the page)
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../../.." && pwd)
# shellcheck source=tools/pinned.sh
source "$root/tools/pinned.sh"

venv=$(pinned_venv venv-detection "$here/requirements.txt")
(cd "$root" && cargo build --quiet --release --package firebreak-detection --example evaluate)
evaluate=$(cd "$root" && realpath -- "$(cargo metadata --format-version 1 --no-deps --offline | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')/release/examples/evaluate")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
warm_up=$("$evaluate" export "$folder")
say "scikit-learn scores the series (about a minute)"
"$venv/bin/python" "$here/scikit_learn.py" "$folder" "$warm_up"
table=$("$evaluate" table "$folder" scikit-learn-once scikit-learn-again)
printf '%s\n' "$table"
if [ "${1:-}" = --write ]; then
    python3 - "$root/docs/DETECTION.md" "$table" <<'PYTHON'
import pathlib, sys

page, table = pathlib.Path(sys.argv[1]), sys.argv[2]
begin, end = "<!-- evaluation -->\n", "\n<!-- /evaluation -->"
text = page.read_text()
head, rest = text.split(begin)
page.write_text(head + begin + table + end + rest.split(end)[1])
PYTHON
fi
