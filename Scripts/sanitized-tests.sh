#!/usr/bin/env bash
# Runs the tests of what reads untrusted input and of the runtime under a sanitizer, in a build of its own.
# Usage: Scripts/sanitized-tests.sh address|thread [option of swift test …]
#
# The system's OpenCL drivers stay out: Intel's loads its compiler with RTLD_DEEPBIND, which the address sanitizer refuses by
# ending the process, and none of these tests is about a GPU. Both OpenCL loaders and Apus heed OCL_ICD_VENDORS.
set -euo pipefail
cd "$(dirname "$0")/.."

sanitizer=$1
shift
# The library, the command and the server run mostly the runtime's own code, which is not instrumented, and far slower. What is
# not named here is in.
without='^(ApusTests|ApusWorkflowsTests|ApusCLITests|ApusServerTests)\.'

mkdir -p .build/no-opencl-drivers
export OCL_ICD_VENDORS=$PWD/.build/no-opencl-drivers
unset OCL_ICD_FILENAMES OPENCL_VENDOR_PATH
export TBB_ENABLE_SANITIZERS=1 APUS_REQUIRE_RUNTIME=1
export ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=suppressions=$PWD/Tests/thread-sanitizer.txt
APUS_LEAN=1 swift test --sanitize "$sanitizer" --scratch-path ".build/$sanitizer" --skip "$without" "$@"
