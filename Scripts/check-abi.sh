#!/usr/bin/env bash
# Compares every slot declared in Sources/COnnxRuntime with the official header.
# Usage: Scripts/check-abi.sh PATH/onnxruntime_c_api.h
# The header is in Debian's libonnxruntime-dev (trixie: 1.21, sid: 1.23) and in ONNX Runtime's releases. Slots newer than
# the header are listed, and fail the check unless --allow-newer is given.
set -euo pipefail
cd "$(dirname "$0")/.."

allow_newer=no
if [ "${1:-}" = --allow-newer ]; then allow_newer=yes; shift; fi
header=${1:-/usr/include/onnxruntime/onnxruntime_c_api.h}
[ -f "$header" ] || { echo "check-abi: no header at $header; give its path" >&2; exit 2; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

# "slot function" per declaration
sed -nE 's/^ORT_SLOT\(([0-9]+), [^,]+, ([A-Za-z_]+),.*/\1 \2/p' Sources/COnnxRuntime/include/onnxruntime_abi.h >"$work/ours"
declared=$(grep -c '^ORT_SLOT(' Sources/COnnxRuntime/include/onnxruntime_abi.h)
[ "$(wc -l <"$work/ours")" -eq "$declared" ] || { echo "check-abi: could not read every declaration" >&2; exit 2; }

# A macro in the header generates the release functions, so ask the compiler, member by member.
newer=(); wrong=0; checked=0
{
    echo '#include <stddef.h>'
    echo '#include "onnxruntime_c_api.h"'
} >"$work/base.h"
while read -r slot name; do
    echo "#include \"base.h\"
_Static_assert(offsetof(OrtApi, $name) == $slot * sizeof(void *), \"slot\");" >"$work/one.c"
    if ${CC:-cc} -fsyntax-only -I "$work" -I "$(dirname "$header")" "$work/one.c" 2>"$work/log"; then
        checked=$((checked + 1))
    elif grep -q "static assertion failed" "$work/log"; then
        echo "check-abi: $name is not in slot $slot" >&2; wrong=$((wrong + 1))
    elif grep -qE "no member named" "$work/log"; then
        newer+=("$slot:$name")
    else
        cat "$work/log" >&2; exit 2
    fi
done <"$work/ours"
echo "check-abi: $checked of $declared slots agree with $(grep -oE 'ORT_API_VERSION [0-9]+' "$header") ($header)"
if [ ${#newer[@]} -gt 0 ]; then
    echo "check-abi: not in this header: ${newer[*]}"
    [ $allow_newer = yes ] || wrong=$((wrong + 1))
fi
[ "$wrong" -eq 0 ]
