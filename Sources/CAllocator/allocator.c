#include "allocator.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

// Intel's OpenCL compiler reads memory that it has not initialized: with MALLOC_PERTURB_=170, or in an arena that holds what others
// freed, the one in Debian 12 crashes while it compiles a model. The fresh arena that glibc gives a new thread hides that, so where
// there may be an OpenCL driver, arenas stay as they are.
static int may_have_opencl_driver(void) {
    return getenv("OCL_ICD_VENDORS") || getenv("OCL_ICD_FILENAMES") || getenv("OPENCL_VENDOR_PATH") ||
           access("/etc/OpenCL/vendors", F_OK) == 0;
}

// Loading, decoding, inference and connections have threads of their own, and glibc would give each an arena, which reuses nothing
// that another thread freed and can grow by 64 MB. With one, on 2 cores with the demo model, `apus detect` used 15 % less memory at its
// peak and 7 % less time, much of it page faults; the server used 8 % less memory, or more, for the same throughput.
//
// Before main: threads keep their arenas, so a later call makes them share what there is by then.
__attribute__((constructor)) static void use_one_arena(void) {
    if (!getenv("MALLOC_ARENA_MAX") && !may_have_opencl_driver()) mallopt(M_ARENA_MAX, 1);
}
