#!/usr/bin/env bash
# Runs the tests of parsers of untrusted input and of the runtime under a sanitizer, in a separate build.
# Usage: Scripts/sanitized-tests.sh address|thread [option of swift test …]
#
# Disables the system's OpenCL drivers: Intel's loads its compiler with RTLD_DEEPBIND, which makes the address sanitizer abort,
# and none of these tests needs a GPU. Both OpenCL loaders and Apus respect OCL_ICD_VENDORS.
set -euo pipefail
cd "$(dirname "$0")/.."

sanitizer=$1
shift
# Excludes the library, the command and the server: they mostly run the runtime's code, which is not instrumented, and are far
# slower. Everything not listed here is included.
without='^(ApusTests|ApusWorkflowsTests|ApusCLITests|ApusServerTests)\.'

mkdir -p .build/no-opencl-drivers
export OCL_ICD_VENDORS=$PWD/.build/no-opencl-drivers
unset OCL_ICD_FILENAMES OPENCL_VENDOR_PATH
export TBB_ENABLE_SANITIZERS=1 APUS_REQUIRE_RUNTIME=1
export ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=suppressions=$PWD/Tests/thread-sanitizer.txt
APUS_LEAN=1 swift test --sanitize "$sanitizer" --scratch-path ".build/$sanitizer" --skip "$without" "$@"
