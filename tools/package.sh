#!/usr/bin/env bash
# Packs the built Lambda binaries into deterministic zips: the same binaries and runbooks give the same bytes.
# usage: tools/package.sh OUT_DIR [RUNBOOKS_DIR]      (runbooks/ of the project when not named; a policy.yaml beside that folder goes along; BINARIES overrides where the binaries are)
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
[ $# -ge 1 ] || {
    sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}" >&2
    exit 2
}
binaries=${BINARIES:-${CARGO_TARGET_DIR:-$HOME/.cache/firebreak/target}/lambda}

mkdir -p "$1"
exec "${PYTHON:-python3}" - "$1" "${2:-$root/runbooks}" "$binaries" <<'PYTHON'
import sys
import zipfile
from pathlib import Path

out, runbooks, binaries = map(Path, sys.argv[1:])
policy = runbooks.parent / "policy.yaml"
# The functions that read runbooks carry them; all but the relay read the policy, if there is one.
FUNCTIONS = {"alert_ingest": False, "event_relay": False, "runbook_action": True, "notifier": True}


def add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = (0o100000 | mode) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content, compresslevel=9)


for function, reads_runbooks in FUNCTIONS.items():
    # Cargo names the file after the function, cargo-lambda makes a folder of that name.
    binary = binaries / function
    binary = binary / "bootstrap" if binary.is_dir() else binary
    if not binary.is_file():
        sys.exit(f"package: {binary} is missing: cargo build --profile lambda -p {function}")
    files = sorted(path for path in runbooks.glob("*.yaml")) if reads_runbooks else []
    if reads_runbooks and not files:
        sys.exit(f"package: no runbook in {runbooks}")
    target = out / f"{function}.zip"
    with zipfile.ZipFile(target, "w") as archive:
        add(archive, "bootstrap", binary.read_bytes(), 0o755)
        for path in files:
            add(archive, f"runbooks/{path.name}", path.read_bytes(), 0o644)
        if policy.is_file() and function != "event_relay":
            add(archive, "policy.yaml", policy.read_bytes(), 0o644)
    note = f", {len(files)} runbook(s)" if reads_runbooks else ""
    print(f"{target.name:20s} {target.stat().st_size / 1024:8.0f} KiB (binary {binary.stat().st_size / 1024:.0f} KiB{note})")
PYTHON
