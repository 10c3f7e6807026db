#!/usr/bin/env bash
# Installs what building and running Apus needs and this machine lacks: Debian packages and the runtime.
# Does nothing, and says nothing, when all is there. Usage: Scripts/setup.sh [--tests]
set -euo pipefail
cd "$(dirname "$0")/.."

want_tests=no
[ "${1:-}" = --tests ] && want_tests=yes

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# The pinned runtime: ONNX Runtime 1.24.1 with the OpenVINO provider and OpenVINO 2025.4.1, as a Python wheel of which
# only the shared libraries are unpacked. Its hash is checked.
version=1.24.1
wheel_sha256=3007c803634cc69c6d52af1dea7ce729d9bb62b9a11070fd2f959119199007a8
runtime="${XDG_DATA_HOME:-$HOME/.local/share}/apus/runtime/$version"

[ "$(uname -sm)" = "Linux x86_64" ] || fail "Apus runs on 64-bit Intel Linux; this is $(uname -sm)."
command -v swift >/dev/null || fail "Swift 6.2 or later is needed: https://www.swift.org/install/linux"

# --- Debian packages -------------------------------------------------------------------------------------------------

packages=()
need() { # package, what shows that it (or its like) is there
    if ! eval "$2" >/dev/null 2>&1; then packages+=("$1"); fi
}
need pkg-config 'command -v pkg-config'
need libturbojpeg0-dev 'test -e /usr/include/turbojpeg.h'
need libpng-dev 'test -e /usr/include/png.h'
need libwebp-dev 'test -e /usr/include/webp/demux.h'
need libcairo2-dev 'test -e /usr/include/cairo/cairo.h'
need fonts-dejavu-core 'test -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf || fc-list | grep -q .'
if [ ! -e "$runtime/.complete" ]; then
    need python3-pip 'python3 -m pip --version'
fi

if [ ${#packages[@]} -gt 0 ]; then
    install=(apt-get install -y -q --no-install-recommends "${packages[@]}")
    by_hand="These packages are needed: ${packages[*]}"
    command -v apt-get >/dev/null || fail "$by_hand
This is not Debian or Ubuntu. Install what your distribution calls them (the development files of libjpeg-turbo's
TurboJPEG, libpng, libwebp and cairo, a font, pkg-config, pip), then run this again."
    root=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || fail "$by_hand
Installing them needs root. Run this, then try again:
    sudo ${install[*]}"
        root=(sudo -n)
    fi
    say "installing ${packages[*]}"
    log=$(mktemp)
    if ! { "${root[@]}" apt-get update -q && DEBIAN_FRONTEND=noninteractive "${root[@]}" "${install[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "apt-get could not install them; its whole output is in $log"
    fi
    rm -f "$log"
fi

# --- Runtime ---------------------------------------------------------------------------------------------------------

if [ ! -e "$runtime/.complete" ]; then
    mkdir -p "$(dirname "$runtime")"
    partial=$(mktemp -d "$(dirname "$runtime")/.partial.XXXXXX")
    trap 'rm -rf "$partial"' EXIT
    trap 'exit 130' INT TERM
    say "downloading ONNX Runtime $version with OpenVINO (81 MB)"
    printf 'onnxruntime-openvino==%s --hash=sha256:%s\n' "$version" "$wheel_sha256" >"$partial/requirements.txt"
    # Debian's pip; or any Python 3: the wheel is only unpacked, never installed.
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
        --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 \
        --dest "$partial" --requirement "$partial/requirements.txt" ||
        fail "the download failed. Nothing was installed; run this again, it starts afresh."
    mkdir "$partial/runtime"
    python3 - "$partial"/*.whl "$partial/runtime" <<'PYTHON'
import os, re, shutil, sys, zipfile
wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    entries = {os.path.basename(i.filename): i for i in archive.infolist()}
    wanted = {n: i for n, i in entries.items() if re.search(r"^lib.*\.so(\.\d+)*$", n) or n in ("LICENSE", "ThirdPartyNotices.txt")}
    first = {}  # the wheel holds each library up to three times, under its names: keep one, link the others
    for name in sorted(wanted, key=len, reverse=True):
        info = wanted[name]
        same = first.setdefault((info.CRC, info.file_size), name)
        if same == name:
            with archive.open(info) as source, open(os.path.join(folder, name), "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        else:
            os.symlink(same, os.path.join(folder, name))
PYTHON
    touch "$partial/runtime/.complete"
    chmod 755 "$partial/runtime"
    rm -rf "$runtime" # one without the mark was not made by this script, or not whole
    mv "$partial/runtime" "$runtime"
    say "runtime installed in $runtime"
fi

# --- What only the tests need ----------------------------------------------------------------------------------------

if [ "$want_tests" = yes ]; then
    :
fi
