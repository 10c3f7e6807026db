// The inner loops of bilinear resizing without antialiasing: two taps per axis, as OpenCV and PyTorch compute it.
#ifndef APUS_TAPS_H
#define APUS_TAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Common to the functions that filter a row of RGB pixels: target pixel x is computed from the source's pixels first[x] and
// min(first[x] + 1, source_width - 1), with the two weights at weights[2 * x]; first[] never decreases. `readable` bytes can be
// read from `source`: more than the row if others follow it. The target has room for APUS_TAPS_SLACK samples more than
// 3 * width; what is written there is meaningless. `vectorized` selects AVX2 and FMA instructions, which give the same result.
#define APUS_TAPS_SLACK 4

// OpenCV: weights have 11 bits after the point. Target samples keep 7 of them, at most 255 << 7.
void apus_opencv_filter_row(
    const uint8_t *source, size_t readable, size_t source_width, int16_t *target, size_t width, const int32_t *first,
    const int16_t *weights, bool vectorized);

// Mixes `count` samples of two filtered rows, and rounds them.
void apus_opencv_mix_rows(
    const int16_t *upper, const int16_t *lower, uint8_t *target, size_t count, const int16_t *weights, bool vectorized);

// Means of two by two pixels, rounded half up: `width` target pixels of two rows that are twice as wide.
void apus_opencv_halve_rows(
    const uint8_t *upper, const uint8_t *lower, uint8_t *target, size_t width, bool vectorized);

// PyTorch: samples divided by 255, weighted as fma(tap 0, weight 0, tap 1 * weight 1).
void apus_torch_filter_row(
    const uint8_t *source, size_t readable, size_t source_width, float *target, size_t width, const int32_t *first,
    const float *weights, bool vectorized);

// Mixes `count` samples of two filtered rows.
void apus_torch_mix_rows(
    const float *upper, const float *lower, float *target, size_t count, const float *weights, bool vectorized);

// PyTorch's kernel for small targets: the four pixels times four products of weights; `row_weights` are the rows' weights.
void apus_torch_small_row(
    const uint8_t *upper, const uint8_t *lower, size_t source_width, float *target, size_t width, const int32_t *first,
    const float *weights, const float *row_weights);

#endif
