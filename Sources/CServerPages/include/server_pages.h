// The files that the server sends to browsers, embedded so that the binary is self-contained.
#ifndef APUS_SERVER_PAGES_H
#define APUS_SERVER_PAGES_H

#include <stddef.h>

// The index must be less than apus_page_count().
size_t apus_page_count(void);
const char *apus_page_name(size_t index);
const void *apus_page_bytes(size_t index);
size_t apus_page_size(size_t index);

#endif
