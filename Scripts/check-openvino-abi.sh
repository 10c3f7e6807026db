#!/usr/bin/env bash
# Compares the functions and structures declared in Sources/COpenVINO with OpenVINO's official headers.
# Usage: Scripts/check-openvino-abi.sh FOLDER
# FOLDER contains openvino/c/openvino.h: `openvino/include` in the wheel, or `runtime/include` in Intel's archive.
set -euo pipefail
cd "$(dirname "$0")/.."

include=${1:?usage: Scripts/check-openvino-abi.sh FOLDER}
[ -f "$include/openvino/c/openvino.h" ] || { echo "check-openvino-abi: no openvino/c/openvino.h in $include" >&2; exit 2; }
ours=Sources/COpenVINO/include/openvino_abi.h
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

# One prototype per line, without the spaces that don't matter.
python3 - "$ours" "$include"/openvino/c/*.h >"$work/report" <<'PYTHON'
import re, sys
def normal(text): return re.sub(r"\s+", " ", re.sub(r"\s*([*,()])\s*", r"\1", text)).strip()
official = {}
for path in sys.argv[2:]:
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", open(path).read(), flags=re.S)
    for result, name, parameters in re.findall(r"OPENVINO_C_API\(([^)]*)\)\s*(\w+)\(([^;]*)\);", text):
        official[name] = normal(result) + " " + name + "(" + (normal(parameters) or "void") + ")"
wrong, names = 0, set()
for result, name, parameters in re.findall(r"^OV_FUNCTION\(([^,]+), (\w+), (.*)\)$", open(sys.argv[1]).read(), flags=re.M):
    mine = normal(result) + " " + name + "(" + normal(parameters) + ")"
    names.add(name)
    if official.get(name) != mine:
        wrong += 1
        print(f"check-openvino-abi: {mine}\n  should be {official.get(name, 'absent: the headers lack it')}", file=sys.stderr)
assert len(names) == sum(line.startswith("OV_FUNCTION(") for line in open(sys.argv[1])), "a declaration can't be read"
print(len(names))
sys.exit(wrong > 0)
PYTHON

# The layout of structures, printed by each header.
layout() { # header, include folder
    {
        printf '#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n#include "%s"\n' "$1"
        echo 'int main(void) {'
        while read -r type fields; do
            echo "printf(\"$type %zu\\n\", sizeof($type));"
            for field in $fields; do echo "printf(\"$type.$field %zu\\n\", offsetof($type, $field));"; done
        done <<'FIELDS'
ov_available_devices_t devices size
ov_version_t buildNumber description
ov_property_t key value
ov_dimension_t min max
ov_rank_t min max
ov_partial_shape_t rank dims
ov_shape_t rank dims
ov_profiling_info_t status real_time cpu_time node_name exec_type node_type
ov_profiling_info_list_t profiling_infos size
ov_status_e
ov_element_type_e
FIELDS
        echo 'return 0; }'
    } >"$work/layout.c"
    "${CC:-cc}" -w -I "$2" "$work/layout.c" -o "$work/layout" && "$work/layout"
}
layout openvino_abi.h Sources/COpenVINO/include >"$work/ours"
layout openvino/c/openvino.h "$include" >"$work/official"
diff "$work/ours" "$work/official" >&2 || { echo "check-openvino-abi: structures differ (< ours, > official)" >&2; exit 1; }
echo "check-openvino-abi: $(cat "$work/report") functions and $(wc -l <"$work/ours") facts about structures agree"
