#include "model_tools.h"

#pragma clang diagnostic ignored "-Wc23-extensions" // #embed: C23, and clang's extension before it

static const unsigned char operators[] = {
#embed "operators.txt"
};

const void *apus_operators_bytes(void) { return operators; }
size_t apus_operators_size(void) { return sizeof operators; }
