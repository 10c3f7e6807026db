// The demo model, an ONNX file that is part of the program, so that a copied binary has it with it.
#ifndef APUS_DEMO_MODEL_H
#define APUS_DEMO_MODEL_H

#include <stddef.h>

const void *apus_demo_model_bytes(void);
size_t apus_demo_model_size(void);

#endif
