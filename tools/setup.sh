#!/usr/bin/env bash
# Makes the tools that tests run against, in ${FIREBREAK_TOOLS:-~/.cache/firebreak/tools}, and prints where they are.
# usage: tools/setup.sh [--ministack] [--dynamodb-local] [--prometheus] [--alertmanager] [--poppler] [--report-peers]      (all when none is named)
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

# Prometheus, Alertmanager and their tools as this Debian release has them. Their services are kept from starting.
debian_prometheus() {
    local package
    for package in prometheus prometheus-alertmanager; do
        type -P "$package" >/dev/null || ! command -v systemctl >/dev/null || systemctl --quiet mask "$package.service" || return
        need_program "$package" "$package" || return
    done
    printf 'prometheus=%s\n' "$(dirname "$(type -P promtool)")"
}

# A newer Alertmanager than Debian's, built from the Go module with this checksum, whose go.sum pins the rest.
newer_alertmanager() {
    local folder
    need_program go golang || return
    folder=$(pinned alertmanager fill_alertmanager "$here/senders/alertmanager-module.txt") || return
    printf 'alertmanager=%s\n' "$folder"
}

fill_alertmanager() {
    local module version sum described
    read -r module version sum <"$here/senders/alertmanager-module.txt"
    export GOPATH=$1/go GOCACHE=$1/go/cache GOFLAGS='-modcacherw -trimpath -buildvcs=false'
    described=$(cd "$1" && go mod download -json "$module@$version") || { printf '%s\n' "$described"; return 1; }
    grep -qF "\"Sum\": \"$sum\"" <<<"$described" || { printf 'not the pinned module:\n%s\n' "$described"; return 1; }
    # The module holds the sources of the web pages but not what is built from them: an empty page takes their place.
    cp -r "$GOPATH/pkg/mod/$module@$version" "$1/source" && mkdir -p "$1/source/ui/app/dist" && touch "$1/source/ui/app/dist/index.html" &&
        (cd "$1/source" && go build -ldflags "-s -w -X github.com/prometheus/common/version.Version=${version#v}" -o "$1/alertmanager" ./cmd/alertmanager) &&
        rm -rf "$1/go" "$1/source"
}

poppler() {
    need_program pdftoppm poppler-utils || return
    printf 'poppler=%s\n' "$(dirname "$(type -P pdftoppm)")"
}

# What the benchmark of reports is compared with.
report_peers() {
    need_program goaccess goaccess && need_program mawk mawk && need_program time time
}

need_program() {
    local program=$1 package=$2
    type -P "$program" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $package, which brings $program"
        apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 && return
    fi
    say "needs $program: install it (Debian: apt-get install $package), or run without what needs it"
    return 1
}

[ $# -gt 0 ] || set -- --ministack --dynamodb-local --prometheus --alertmanager --poppler
for wanted in "$@"; do
    case $wanted in
    --ministack) ministack ;;
    --dynamodb-local) dynamodb_local ;;
    --prometheus) debian_prometheus ;;
    --alertmanager) newer_alertmanager ;;
    --poppler) poppler ;;
    --report-peers) report_peers ;;
    *)
        sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
    esac
done
