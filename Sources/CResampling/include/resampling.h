// The inner loops of antialiased resizing, in instructions that Swift has no access to (AVX2).
#ifndef APUS_RESAMPLING_H
#define APUS_RESAMPLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Weights are Pillow's: 22 bits after the point, 0 to 1. Each is split as high * 2048 + low, so that one instruction
// multiplies both parts of two taps by bytes; a target's weights are in groups of four taps: high 0 to 3, low 0 to 3.
#define APUS_WEIGHT_PRECISION 22
#define APUS_WEIGHT_LOW_BITS 11
#define APUS_WEIGHT_GROUP 8

// Whether this processor can run the functions below, and the vector instructions of taps.h: AVX2 and FMA.
bool apus_resampling_is_vectorized(void);

// Filters a row of RGB pixels: pixel x of `target` is the weighted sum of the pixels from first[x] on.
// `readable` bytes can be read from `source`; taps without weight may lie beyond the row, and are not read beyond those bytes.
void apus_filter_row(
    const uint8_t *source, size_t readable, uint8_t *target, size_t width, const intptr_t *first, const int16_t *weights,
    size_t groups);

// Mixes `taps` rows, `stride` bytes apart, by the weights of one target, into one row of `count` bytes.
void apus_mix_rows(
    const uint8_t *source, size_t stride, size_t taps, uint8_t *target, size_t count, const int16_t *weights);

#endif
