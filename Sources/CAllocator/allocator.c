#include "allocator.h"

#include <malloc.h>

void apus_use_one_arena(void) { mallopt(M_ARENA_MAX, 1); }
