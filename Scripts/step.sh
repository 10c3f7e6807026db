#!/usr/bin/env bash
# Runs a command as a step of `make test` or `make check`: prints a line before, and a line after with the time and the last line
# of the output, which goes to .build/logs/NAME.log. Status 77 means that it could not run here, and is reported. A failure prints
# what failed, the log's path, and the command to repeat it.
# Usage: Scripts/step.sh NAME [VARIABLE=VALUE …] COMMAND [ARGUMENT …]
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
shift
log=.build/logs/$name.log
mkdir -p "${log%/*}"
printf '%-16s …\n' "$name"
began=$SECONDS
status=0
env "$@" >"$log" 2>&1 </dev/null || status=$?
seconds=$((SECONDS - began))
if [ "$status" -eq 0 ]; then
    # The last line that contains words, without terminal colors.
    last=$(sed 's/\x1b\[[0-9;]*[A-Za-z]//g' "$log" | grep -E '[[:alpha:]]' | tail -n 1 || true)
    printf '%-16s ok, %d s: %s\n' "$name" "$seconds" "${last:0:140}"
    exit 0
fi
if [ "$status" -eq 77 ]; then # as in automake: could not run here
    printf '%-16s SKIPPED: %s\n' "$name" "$(tail -n 1 "$log")"
    exit 0
fi
{
    printf '%-16s FAILED with status %d after %d s\n' "$name" "$status" "$seconds"
    grep -aE '✘|error:|AssertionError|NOT OK|ERROR: .*Sanitizer|WARNING: ThreadSanitizer' "$log" | head -n 30 | cut -c 1-400 || true
    echo "--- the end of the log:"
    tail -n 15 "$log" | cut -c 1-400
    echo "--- the full log: $PWD/$log"
    printf -- '--- to repeat it: (cd %q && env' "$PWD"
    printf ' %q' "$@"
    printf ')\n'
} >&2
exit "$status"
