#ifndef APUS_ALLOCATION_COUNTER_H
#define APUS_ALLOCATION_COUNTER_H

#include <stdint.h>

/// Total allocations of the process so far, on all threads; monotonic.
typedef struct {
    uint64_t count;
    uint64_t bytes;
} apus_allocations;

apus_allocations apus_allocations_so_far(void);

#endif
