# What the tests need besides Python: a PostgreSQL server, a Chromium and the npm packages of tests/peer. Sourced by ./test.

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}

have_postgres() {
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null 2>&1
}

have_chromium() {
    [ -n "${CHROMIUM:-}" ] || [ -x /usr/bin/chromium-headless-shell ] || [ -x /usr/bin/chromium ] ||
        ls "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium*-*/chrome-*/*chrome* >/dev/null 2>&1
}

# install_packages PACKAGE...: by apt, where there is one; with a fresh list when the one here does not do.
install_packages() {
    command -v apt-get >/dev/null 2>&1 || return 1
    say "Installing $* (the first time only)"
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; then
        as_root apt-get update -qq >/dev/null 2>&1 || true
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    fi
}

# What the tests need of the system; without a browser for ./test fast.
install_test_packages() {
    have_postgres || install_packages postgresql || fail "The tests need PostgreSQL's server programs. Install them: apt-get install postgresql"
    if [ "$1" != fast ] && ! have_chromium; then
        # The one without windows is Debian's; others have the whole browser only.
        install_packages chromium-headless-shell || install_packages chromium || true
    fi
}

# Where the system has no package: Playwright's own, which needs the Python environment.
need_chromium() {
    have_chromium && return
    say "Trying Playwright's own Chromium"
    "$PYTHON" -m playwright install chromium >/dev/null 2>&1 ||
        fail "The browser tests need Chromium: apt-get install chromium, or name one: CHROMIUM=/path/to/chrome ./test"
}

# need_npm FOLDER WHAT: the npm packages of a folder, with the Node.js of requirements.txt; only when the lock file has changed.
need_npm() {
    local folder=$1 stamp have
    stamp=$folder/node_modules/.installed
    have=$(sha256sum <"$folder/package-lock.json" | cut -c1-64)
    [ "$(cat "$stamp" 2>/dev/null)" = "$have" ] && return
    say "Installing $2 (npm packages in $folder)"
    (
        PATH=$PWD/.venv/bin:$PATH
        cd "$folder"
        timeout 300 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
    ) || fail "npm could not install the packages of $folder (it has 5 minutes); the lines above say why. They come from the npm registry: is it reachable?"
    printf '%s\n' "$have" >"$stamp"
}

need_baileys() { need_npm tests/peer/baileys "the customers' phones"; }

need_axe() { need_npm tests/browser/axe "the rules of accessibility"; }
