#!/usr/bin/env bash
# Tests setup.sh with missing dependencies, using a PATH with only what each case allows.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
expect() { # description, then a command
    local what=$1
    shift
    if "$@" >/dev/null 2>&1; then echo "ok       $what"; else echo "NOT OK   $what"; sed 's/^/    /' "$work/log"; failures=$((failures + 1)); fi
}

# A PATH with the usual small tools, `swift`, and the given commands.
tools() {
    rm -rf "${work:?}/bin"
    mkdir "$work/bin"
    for tool in bash dirname basename mktemp find rm mv mkdir touch tail sed grep uname id sleep cat "$@"; do
        ln -s "$(command -v "$tool")" "$work/bin/$tool"
    done
    stub swift :
}
stub() { # name, script; the name may be a link to the real tool, which must not be overwritten
    rm -f "$work/bin/$1"
    printf '#!%s\n%s\n' "$BASH" "$2" >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
setup() { env -i PATH="$work/bin" HOME="$work/home" "$BASH" Scripts/setup.sh >"$work/log" 2>&1; }
says() { grep -qF -- "$1" "$work/log"; }
left() { [ -z "$(find "$work/home" -mindepth 1 ! -type d 2>/dev/null)" ] && [ -z "$(find "$work/home" -name '.partial*' 2>/dev/null)" ]; }

tools
expect "without apt-get it fails" bash -c '! "$@"' _ env -i PATH="$work/bin" HOME="$work/home" "$BASH" Scripts/setup.sh
setup || true
expect "and lists the required packages" says "These packages are needed: pkg-config"
expect "and reports that this is not Debian" says "This is not Debian or Ubuntu"

tools
stub apt-get 'exit 1'
stub id 'echo 1000'
if setup; then status=0; else status=$?; fi
expect "without root and sudo it fails" test "$status" -ne 0
expect "and prints the command to run" says "sudo apt-get install -y -q --no-install-recommends pkg-config"

tools pkg-config
stub python3 'case "$*" in *--version*) exit 0 ;; esac; exit 1'
if setup; then status=0; else status=$?; fi
expect "a failed download fails" test "$status" -ne 0
expect "and reports that nothing was installed" says "nothing was installed"
expect "and leaves nothing behind" left

tools pkg-config
stub python3 'case "$*" in *--version*) exit 0 ;; esac; touch "'"$work"'/downloading"; exec sleep 30'
env -i PATH="$work/bin" HOME="$work/home" "$BASH" Scripts/setup.sh >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 6000); do [ -e "$work/downloading" ] && break; sleep 0.1; done
kill -TERM "$pid"
pkill -TERM -P "$pid" || true # a terminal's Ctrl-C ends the download too
wait "$pid" && status=0 || status=$?
expect "an interrupted download fails" test "$status" -ne 0
expect "and leaves nothing behind" left

Scripts/setup.sh >"$work/log" 2>&1
Scripts/setup.sh >"$work/log" 2>&1
expect "a second run prints nothing" test ! -s "$work/log"

[ "$failures" -eq 0 ] || exit 1
