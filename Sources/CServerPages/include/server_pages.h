// The files that the server gives to browsers: part of the program, so that a copied binary has them with it.
#ifndef APUS_SERVER_PAGES_H
#define APUS_SERVER_PAGES_H

#include <stddef.h>

// The index is below apus_page_count().
size_t apus_page_count(void);
const char *apus_page_name(size_t index);
const void *apus_page_bytes(size_t index);
size_t apus_page_size(size_t index);

#endif
