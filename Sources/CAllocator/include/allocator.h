#pragma once

/// Makes all threads allocate from one arena, as far as they have none of their own yet. glibc's <malloc.h> is in no Swift module.
void apus_use_one_arena(void);
