#!/usr/bin/env bash
# Detection benchmark: events a second of one core with rules and forest on, beside the same job as a scikit-learn loop.
# Fails below 200,000 events/s or below 20 times the loop that scores event by event.
# usage: crates/detection/bench/run.sh [EVENTS]
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../../.." && pwd)
# shellcheck source=tools/pinned.sh
source "$root/tools/pinned.sh"

events=${1:-1000000}
venv=$(pinned_venv venv-detection "$here/../evaluation/requirements.txt")
say "building the detector (release)"
(cd "$root" && cargo build --quiet --release --package firebreak-detection --example throughput)
target=$(cd "$root" && cargo metadata --format-version 1 --no-deps --offline | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$target/release/examples/throughput" write "$folder/log" "$events"
say "measuring: ours, then Python with 256 events at once, then event by event (about a minute)"
ours=$("$target/release/examples/throughput" run "$folder/log")
batch=$("$venv/bin/python" "$here/loop.py" "$folder/log" 60000 batch)
event=$("$venv/bin/python" "$here/loop.py" "$folder/log" 2000 event)
python3 - "$ours" "$batch" "$event" <<'PYTHON'
import json, sys

ours, batch, event = (json.loads(text) for text in sys.argv[1:])
rate = lambda one: one["events"] / one["seconds"]
print(f"firebreak, rules and forest         {rate(ours):12,.0f} events/s of one core ({ours['events']:,} events)")
print(f"Python, scikit-learn, 256 at once   {rate(batch):12,.0f} events/s: {rate(ours) / rate(batch):8,.1f} times slower")
print(f"Python, scikit-learn, each event    {rate(event):12,.0f} events/s: {rate(ours) / rate(event):8,.1f} times slower")
wrong = []
if rate(ours) < 200_000:
    wrong.append("below 200,000 events/s of one core")
if rate(ours) < 20 * rate(event):
    wrong.append("below 20 times the scikit-learn loop")
for one in wrong:
    print(f"FAILED: {one}")
sys.exit(bool(wrong))
PYTHON
