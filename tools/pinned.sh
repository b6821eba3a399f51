# shellcheck shell=bash
# Pinned tools are made once, in a folder named after what they are made from; the scripts that need one source this file.

tools_root=${FIREBREAK_TOOLS:-$HOME/.cache/firebreak/tools}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# pinned NAME MAKE FILE...: prints the folder that `MAKE FOLDER` filled from these FILEs.
# A half-made folder is made again; two callers at once make it once.
pinned() {
    local name=$1 make=$2
    shift 2
    local hash folder
    hash=$(cat -- "$@" | sha256sum | cut -c1-12) || return
    folder=$tools_root/$name-$hash
    mkdir -p "$tools_root" || return
    (
        flock 9 || exit
        [ -e "$folder/.complete" ] && exit 0
        say "making $folder (once)"
        rm -rf "$folder"
        mkdir "$folder" || exit
        "$make" "$folder" >"$folder.log" 2>&1 && touch "$folder/.complete" && exit 0
        say "making $folder failed; the end of $folder.log:"
        tail -n 15 "$folder.log" >&2
        exit 1
    ) 9>"$folder.lock" || return
    printf '%s\n' "$folder"
}

# pinned_venv NAME REQUIREMENTS: prints the folder of a Python 3.11 environment that holds exactly these packages.
pinned_venv() {
    local requirements=$2 python=${PYTHON:-python3.11}
    if ! "$python" -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        say "needs Python 3.11 with venv; '$python' is not one (PYTHON=/path/to/python3.11 names another)"
        return 1
    fi
    # shellcheck disable=SC2329 # `pinned` calls it
    fill_venv() {
        "$python" -m venv "$1" && "$1/bin/pip" install --disable-pip-version-check --quiet --no-deps --requirement "$requirements"
    }
    pinned "$1" fill_venv "$requirements"
}
