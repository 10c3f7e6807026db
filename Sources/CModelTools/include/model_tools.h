// What ModelTools needs of C: data as part of the program, and instructions that Swift does not reach.
#ifndef APUS_MODEL_TOOLS_H
#define APUS_MODEL_TOOLS_H

#include <stddef.h>
#include <stdint.h>

// The types that ONNX's operators take and give, as Scripts/make-operator-table.py wrote them.
const void *apus_operators_bytes(void);
size_t apus_operators_size(void);

// Rounds f32 to f16: to nearest, ties to even; beyond f16's range to infinity. Neither need be aligned.
void apus_half_from_float(const void *floats, void *halves, size_t count);

struct apus_float_range {
    float largest;  // of all finite values' magnitudes
    float smallest; // of all magnitudes but zero; infinity if there is none
    int has_infinity;
};
// The magnitudes in an f32 array.
struct apus_float_range apus_float_range(const void *floats, size_t count);

#endif
