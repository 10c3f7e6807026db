#include "model_tools.h"
#include <immintrin.h>
#include <math.h>
#include <string.h>

// The F16C instruction exists since 2012, but is not in the instruction set that programs are compiled for by default.
__attribute__((target("avx,f16c"))) static size_t convert_eights(const float *floats, uint16_t *halves, size_t count) {
    size_t index = 0;
    for (; index + 8 <= count; index += 8)
        _mm_storeu_si128((__m128i *)(halves + index),
                         _mm256_cvtps_ph(_mm256_loadu_ps(floats + index), _MM_FROUND_TO_NEAREST_INT));
    return index;
}

void apus_half_from_float(const void *floats, void *halves, size_t count) {
    size_t index = __builtin_cpu_supports("f16c") ? convert_eights(floats, halves, count) : 0;
    for (; index < count; index++) {
        float value;
        memcpy(&value, (const char *)floats + 4 * index, 4);
        _Float16 half = (_Float16)value;
        memcpy((char *)halves + 2 * index, &half, 2);
    }
}

struct apus_float_range apus_float_range(const void *floats, size_t count) {
    // Magnitudes compare the same as bits and as numbers; sixteen at a time, which compilers vectorize.
    uint32_t largest[16] = {0}, smallest[16];
    uint32_t infinite[16] = {0};
    for (int lane = 0; lane < 16; lane++) smallest[lane] = 0x7F800000;
    size_t index = 0;
    for (; index + 16 <= count; index += 16) {
        uint32_t bits[16];
        memcpy(bits, (const char *)floats + 4 * index, sizeof bits);
        for (int lane = 0; lane < 16; lane++) {
            int32_t magnitude = bits[lane] & 0x7FFFFFFF;
            int32_t finite = magnitude < 0x7F800000 ? magnitude : 0;
            if (finite > (int32_t)largest[lane]) largest[lane] = finite;
            infinite[lane] |= magnitude == 0x7F800000;
            int32_t present = magnitude == 0 ? 0x7F800000 : magnitude;
            if (present < (int32_t)smallest[lane]) smallest[lane] = present;
        }
    }
    for (; index < count; index++) {
        uint32_t bits;
        memcpy(&bits, (const char *)floats + 4 * index, 4);
        bits &= 0x7FFFFFFF;
        if (bits < 0x7F800000 && bits > largest[0]) largest[0] = bits;
        infinite[0] |= bits == 0x7F800000;
        if (bits != 0 && bits < smallest[0]) smallest[0] = bits;
    }
    for (int lane = 1; lane < 16; lane++) {
        if (largest[lane] > largest[0]) largest[0] = largest[lane];
        if (smallest[lane] < smallest[0]) smallest[0] = smallest[lane];
        infinite[0] |= infinite[lane];
    }
    struct apus_float_range range;
    memcpy(&range.largest, largest, 4);
    memcpy(&range.smallest, smallest, 4);
    range.has_infinity = infinite[0] != 0;
    return range;
}
