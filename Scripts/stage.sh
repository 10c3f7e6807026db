#!/usr/bin/env bash
# Installs Apus into a relocatable folder: bin/apus, the runtime and every library missing from a minimal Debian, a font, and
# the service files. Usage: Scripts/stage.sh FOLDER [path of apus]
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."
target=$1
apus=${2:-.build/release/apus}
runtime=${APUS_RUNTIME:-${XDG_DATA_HOME:-$HOME/.local/share}/apus/runtime/1.24.1}
# Under sudo, the runtime is in the invoking user's home; in a container, that user may have no name.
[ -e "$runtime" ] || runtime=$(getent passwd "$(stat -c %u .)" | cut -d: -f6 || true)/.local/share/apus/runtime/1.24.1
[ -x "$apus" ] || { echo "stage: $apus does not exist; run make build" >&2 && exit 1; }
[ -e "$runtime/libonnxruntime.so.1.24.1" ] || { echo "stage: there is no runtime in $runtime; run make setup, or set APUS_RUNTIME to its folder" >&2 && exit 1; }
command -v patchelf >/dev/null || { echo "stage: patchelf is required: sudo apt-get install patchelf" >&2 && exit 1; }

# Removes only what an earlier run installed: with the prefix ~/.local, share/apus also has the user's models and runtime.
rm -rf "${target:?}"/{bin/apus,lib/apus} "$target"/share/apus/{fonts,docs,packaging,LICENSE,README.md}
mkdir -p "$target/bin" "$target/lib/apus/system" "$target/share/apus/fonts"
cp "$apus" "$target/bin/apus"
strip "$target/bin/apus"
# Not with the builder's ownership and permissions: world-executable, writable only by the owner.
cp -R --no-dereference --preserve=timestamps,links "$runtime/." "$target/lib/apus/"
rm -f "$target/lib/apus/.complete"

# The program's libraries, except the C and C++ libraries, which every system provides.
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
