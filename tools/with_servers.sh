#!/usr/bin/env bash
# Runs a command with AWS stand-ins on free loopback ports, and stops them whatever happens; its exit code is the command's.
# usage: tools/with_servers.sh [--ministack] [--dynamodb-local] -- COMMAND [ARGUMENT...]
#   MINISTACK_MAIN=FILE starts the emulator through that Python file
#   exports FIREBREAK_TEST_MINISTACK and FIREBREAK_TEST_DYNAMODB_LOCAL (http://127.0.0.1:PORT), dummy credentials and a region
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/pinned.sh
source "$here/pinned.sh"

usage() {
    sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

wanted=()
while [ $# -gt 0 ]; do
    case $1 in
    --ministack | --dynamodb-local) wanted+=("$1") ;;
    --)
        shift
        break
        ;;
    *) usage ;;
    esac
    shift
done
[ ${#wanted[@]} -gt 0 ] && [ $# -gt 0 ] || usage

scratch=$(mktemp -d)
servers=()
command_pid=

# Each server leads its own process group, so that what it started (the functions of the emulator) ends with it.
# shellcheck disable=SC2317,SC2329 # the trap calls it
stop_servers() {
    local pid
    for pid in "${servers[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
    for pid in "${servers[@]}"; do
        for _ in $(seq 50); do
            kill -0 -- "-$pid" 2>/dev/null || continue 2
            sleep 0.1
        done
        kill -KILL -- "-$pid" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
trap stop_servers EXIT
trap '[ -z "$command_pid" ] || kill -TERM "$command_pid" 2>/dev/null; exit 143' TERM
trap '[ -z "$command_pid" ] || kill -INT "$command_pid" 2>/dev/null; exit 130' INT HUP

free_port() {
    "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start NAME HEALTH_PATH COMMAND...: sets `url` once the server answers; {port} in the command is the chosen port.
# Another program may take a port between choosing and listening, hence three tries.
start() {
    local name=$1 health=$2 pid port attempt
    shift 2
    for attempt in 1 2 3; do
        port=$(free_port)
        url=http://127.0.0.1:$port
        (cd "$scratch" && TMPDIR=$scratch exec setsid "${@//\{port\}/$port}") >"$scratch/$name.log" 2>&1 &
        pid=$!
        servers+=("$pid")
        for _ in $(seq 300); do
            [ "$(curl --silent --max-time 1 --output /dev/null --write-out '%{http_code}' "$url$health" || true)" = 000 ] || return 0
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        say "$name did not start on port $port (try $attempt of 3); the end of its log:"
        tail -n 10 "$scratch/$name.log" >&2
    done
    return 1
}

tools=$("$here/setup.sh" "${wanted[@]}")
tool() { sed -n "s/^$1=//p" <<<"$tools"; }

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1
export AWS_EC2_METADATA_DISABLED=true
unset AWS_SESSION_TOKEN AWS_PROFILE AWS_ENDPOINT_URL
python=${PYTHON:-python3}

for server in "${wanted[@]}"; do
    case $server in
    --ministack)
        emulator=$(tool ministack)/bin
        start ministack /_ministack/health env BIND_HOST=127.0.0.1 GATEWAY_PORT='{port}' \
            "$emulator/python" "${MINISTACK_MAIN:-$emulator/ministack}"
        export FIREBREAK_TEST_MINISTACK=$url
        ;;
    --dynamodb-local)
        folder=$(tool dynamodb_local)
        start dynamodb-local / java -Djava.library.path="$folder" -cp "$folder:$folder/*" LoopbackServer '{port}'
        export FIREBREAK_TEST_DYNAMODB_LOCAL=$url
        ;;
    esac
done

"$@" <&0 &
command_pid=$!
code=0
wait "$command_pid" || code=$?
command_pid=
exit "$code"
