#!/usr/bin/env bash
# Lays out Apus in a folder that can be moved: bin/apus, the runtime and every library that a bare Debian lacks beside it, a
# font, what a service needs. Usage: Scripts/stage.sh FOLDER [path of apus]
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."
target=$1
apus=${2:-.build/release/apus}
runtime=${APUS_RUNTIME:-${XDG_DATA_HOME:-$HOME/.local/share}/apus/runtime/1.24.1}
# Under sudo the runtime lies with who built; in a container he may have no name.
[ -e "$runtime" ] || runtime=$(getent passwd "$(stat -c %u .)" | cut -d: -f6 || true)/.local/share/apus/runtime/1.24.1
[ -x "$apus" ] || { echo "stage: there is no $apus; build it: make build" >&2 && exit 1; }
[ -e "$runtime/libonnxruntime.so.1.24.1" ] || { echo "stage: there is no runtime in $runtime: run make setup, or name its folder as APUS_RUNTIME" >&2 && exit 1; }
command -v patchelf >/dev/null || { echo "stage: patchelf is needed: sudo apt-get install patchelf" >&2 && exit 1; }

# Only what an earlier one laid there: share/apus of a prefix ~/.local is where a user's own models and runtime are.
rm -rf "${target:?}"/{bin/apus,lib/apus} "$target"/share/apus/{fonts,docs,packaging,LICENSE,README.md}
mkdir -p "$target/bin" "$target/lib/apus/system" "$target/share/apus/fonts"
cp "$apus" "$target/bin/apus"
strip "$target/bin/apus"
# Not with the builder's ownership and permissions: everybody runs it, nobody but the owner changes it.
cp -R --no-dereference --preserve=timestamps,links "$runtime/." "$target/lib/apus/"
rm -f "$target/lib/apus/.complete"

# What the program needs but the C and C++ libraries, which every system has its own of.
ldd "$apus" | awk '$3 ~ /^\// {print $3}' | grep -vE '/(libc|libm|libdl|libpthread|librt|libstdc\+\+|libgcc_s|ld-linux[^/]*)\.so' |
    while read -r library; do
        cp -L "$library" "$target/lib/apus/system/"
        # shellcheck disable=SC2016 # the dynamic linker's
        patchelf --set-rpath '$ORIGIN' "$target/lib/apus/system/$(basename "$library")"
    done
# For the GPU plugin; Intel's own driver is the system's.
opencl=$(ldconfig -p | awk '/libOpenCL.so.1 .*x86-64/ {print $NF; exit}')
[ -z "$opencl" ] || cp -L "$opencl" "$target/lib/apus/libOpenCL.so.1"
# shellcheck disable=SC2016 # the dynamic linker's
patchelf --set-rpath '$ORIGIN/../lib/apus/system' "$target/bin/apus"

cp "$(fc-match --format '%{file}' 'DejaVu Sans')" "$target/share/apus/fonts/"
cat >"$target/share/apus/fonts/fonts.conf" <<'XML'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir prefix="relative">.</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
XML
cp LICENSE README.md "$target/share/apus/"
cp -r docs packaging "$target/share/apus/"
chmod -R u=rwX,go=rX "$target/bin/apus" "$target/lib/apus" "$target"/share/apus/{fonts,docs,packaging,LICENSE,README.md}
