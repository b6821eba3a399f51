#!/usr/bin/env bash
# Makes the pinned tools that `make test-aws` runs against, in ${FIREBREAK_TOOLS:-~/.cache/firebreak/tools}, and prints where they are.
# usage: tools/setup.sh [--ministack] [--dynamodb-local]      (both when neither is named)
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/pinned.sh
source "$here/pinned.sh"

ministack() {
    local folder
    folder=$(pinned_venv venv-ministack "$here/requirements.txt") || return
    printf 'ministack=%s\n' "$folder"
}

dynamodb_local() {
    local folder
    need_program mvn maven || return
    need_program javac openjdk-17-jdk-headless || return
    folder=$(pinned dynamodb-local fill_dynamodb_local "$here/dynamodb_local/pom.xml" "$here/dynamodb_local/LoopbackServer.java") || return
    printf 'dynamodb_local=%s\n' "$folder"
}

# The jars and the native SQLite libraries that come with them, plus our launcher, in one folder.
fill_dynamodb_local() {
    mvn --quiet --batch-mode --file "$here/dynamodb_local/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$1" &&
        javac -cp "$1/*" -d "$1" "$here/dynamodb_local/LoopbackServer.java"
}

need_program() {
    local program=$1 package=$2
    command -v "$program" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $package, which brings $program"
        apt-get install -y -qq "$package" >/dev/null 2>&1 && return
    fi
    say "needs $program: install it (Debian: apt-get install $package), or run without --dynamodb-local"
    return 1
}

[ $# -gt 0 ] || set -- --ministack --dynamodb-local
for wanted in "$@"; do
    case $wanted in
    --ministack) ministack ;;
    --dynamodb-local) dynamodb_local ;;
    *)
        sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
    esac
done
