#!/usr/bin/env bash
# The PDF of a report as a real viewer (poppler) draws and reads it.
set -euo pipefail
cd "$(dirname "$0")/../../.."

tools/setup.sh --poppler >/dev/null || { echo "SKIPPED: the PDF was shown to no viewer"; exit 0; }
cargo test --package firebreak-reports --test pages --locked -- --ignored
