#!/usr/bin/env bash
# Builds the functions, packs them, renders the stack, and runs the end-to-end checks on an emulator of AWS.
# usage: terraform/emulator/run.sh      (ARTIFACTS=DIR uses the zips in DIR and builds nothing)
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../.." && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/firebreak/target}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { printf '%6d s  %s\n' "$SECONDS" "$*"; }

artifacts=${ARTIFACTS:-}
if [ -z "$artifacts" ]; then
    step "building the functions (profile lambda)"
    (cd "$root" && cargo build --locked --profile lambda -p alert_ingest -p event_relay -p runbook_action -p notifier)
    artifacts=$work/artifacts
    step "packing them, with the runbooks and the policy of the checks"
    "$root/tools/package.sh" "$artifacts" "$here/runbooks"
fi

step "rendering the stack"
offline=$("$root/terraform/offline/setup.sh" | tail -n 1)
"$offline/bin/python" "$root/terraform/offline/render.py" --out "$work/rendered.json" --artifact-dir "$artifacts" \
    --var reopen_within=8s --var 'alarm_topic_arns=["arn:aws:sns:eu-west-1:123456789012:alarms"]'

step "starting the emulator, with policies enforced"
emulator=$("$root/tools/setup.sh" --ministack | sed -n 's/^ministack=//p')
AUTH=true MINISTACK_MAIN=$here/as_aws.py PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/tools "$root/tools/with_servers.sh" --ministack -- \
    "$emulator/bin/python" "$here/story.py" "$work/rendered.json"
