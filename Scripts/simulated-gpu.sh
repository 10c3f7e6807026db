#!/usr/bin/env bash
# Runs a command with a simulated Intel Arc A770: Intel's OpenCL driver compiles real kernels for it, but does not execute
# them, so results are garbage and times mean little. Tests device listing and selection, model compilation, cache hits, and
# the detection of wrong results.
#
# Installs nothing: unpacks the driver's packages into .build. Usage: Scripts/simulated-gpu.sh COMMAND [ARGUMENT…]
# CreateMultipleRootDevices=2 in the environment simulates two GPUs.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
driver="$project/.build/simulated-gpu"
fail() { printf 'simulated-gpu: %s\n' "$*" >&2; exit 1; }

packages=(intel-opencl-icd ocl-icd-libopencl1)

# What apt would install: the packages and their missing dependencies.
missing() { apt-get -s install --no-install-recommends "${packages[@]}" 2>/dev/null | awk '/^Inst/ {print $2}'; }

download() { # folder
    local list
    list=$(missing) && [ -n "$list" ] || return 1
    (cd "$1" && printf '%s\n' "$list" | xargs apt-get download -qq >/dev/null 2>&1)
}

if [ ! -e "$driver/.complete" ]; then
    command -v apt-get >/dev/null || fail "requires Debian or Ubuntu, whose packages it unpacks"
    partial="$driver.partial.$$"
    rm -rf "$driver" "$partial"
    mkdir -p "$partial/packages" "$partial/vendors"
    trap 'rm -rf "$partial"' EXIT
    if dpkg -s "${packages[@]}" >/dev/null 2>&1; then
        : # use the system's driver
    else
        if ! download "$partial/packages"; then
            root=()
            [ "$(id -u)" -eq 0 ] || root=(sudo -n)
            "${root[@]}" apt-get update -qq >/dev/null 2>&1 || fail "apt-get update failed"
            download "$partial/packages" || fail "these packages could not be downloaded: ${packages[*]}"
        fi
        for package in "$partial"/packages/*.deb; do dpkg -x "$package" "$partial/root"; done
        rm -rf "$partial/packages"
    fi
    touch "$partial/.complete"
    mv "$partial" "$driver"
    trap - EXIT
fi

if [ -d "$driver/root" ]; then
    libraries="$driver/root/usr/lib/x86_64-linux-gnu"
    printf '%s\n' "$libraries/intel-opencl/libigdrcl.so" >"$driver/vendors/intel.icd"
    export OCL_ICD_VENDORS="$driver/vendors"
    export LD_LIBRARY_PATH="$libraries:$libraries/intel-opencl${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi

# An A770 (device 0x56A0): 8 slices of 4 sub-slices of 16 execution units, in the driver's simulation mode.
export NEOReadDebugKeys=1 SetCommandStreamReceiver=1 ProductFamilyOverride=dg2 HardwareInfoOverride=8x4x16
export ForceDeviceId=0x56A0
export APUS_SIMULATED_GPU=1

# The driver writes large .aub files to the working folder.
command=$1
shift
case $command in
*/*) command=$(realpath "$command") ;;
esac
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
"$command" "$@"
