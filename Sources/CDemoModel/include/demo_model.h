// The demo model, an ONNX file, and pictures for it: part of the program, so that a copied binary has them with it.
#ifndef APUS_DEMO_MODEL_H
#define APUS_DEMO_MODEL_H

#include <stddef.h>

const void *apus_demo_model_bytes(void);
size_t apus_demo_model_size(void);

// JPEG files; the index is below apus_demo_picture_count().
size_t apus_demo_picture_count(void);
const char *apus_demo_picture_name(size_t index);
const void *apus_demo_picture_bytes(size_t index);
size_t apus_demo_picture_size(size_t index);

#endif
