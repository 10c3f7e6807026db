#include "demo_model.h"

#pragma clang diagnostic ignored "-Wc23-extensions" // #embed: C23, and clang's extension before it

static const unsigned char model[] = {
#embed "demo.onnx"
};

const void *apus_demo_model_bytes(void) { return model; }
size_t apus_demo_model_size(void) { return sizeof model; }
