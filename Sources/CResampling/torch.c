#include "taps.h"
#include <immintrin.h>
#include <math.h>

// Which sums are fused affects the result, so it is explicit, and the compiler must not fuse any itself.
#pragma STDC FP_CONTRACT OFF

#define AVX2_FMA __attribute__((target("avx2,fma")))

static float scaled(uint8_t sample) { return (float)sample / 255.0f; }

// Both taps of a pixel, divided by 255: red, green, blue, unused; then those of the next pixel.
AVX2_FMA static __m256 taps(const uint8_t *source, int32_t first) {
    const __m128i apart = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    __m128i bytes = _mm_loadl_epi64((const __m128i *)(source + 3 * (size_t)first));
    __m256 samples = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_shuffle_epi8(bytes, apart)));
    return _mm256_div_ps(samples, _mm256_set1_ps(255));
}

// Two pixels at a time; returns the first remaining pixel.
AVX2_FMA static size_t filter_vectors(
    const uint8_t *source, size_t readable, size_t source_width, float *target, size_t width, const int32_t *first,
    const float *weights) {
    const __m256i left = _mm256_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2), right = _mm256_setr_epi32(1, 1, 1, 1, 3, 3, 3, 3);
    size_t x = 0;
    for (; x + 2 <= width; x += 2) {
        size_t last = (size_t)first[x + 1];
        if (last + 1 >= source_width || 3 * last + 8 > readable) break;
        __m256 a = taps(source, first[x]), b = taps(source, first[x + 1]);
        __m256 four = _mm256_castps128_ps256(_mm_loadu_ps(weights + 2 * x));
        __m256 second = _mm256_mul_ps(_mm256_permute2f128_ps(a, b, 0x31), _mm256_permutevar8x32_ps(four, right));
        __m256 sums =
            _mm256_fmadd_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permutevar8x32_ps(four, left), second);
        // Each store writes a sample too many, which the next one overwrites.
        _mm_storeu_ps(target + 3 * x, _mm256_castps256_ps128(sums));
        _mm_storeu_ps(target + 3 * x + 3, _mm256_extractf128_ps(sums, 1));
    }
    return x;
}

void apus_torch_filter_row(
    const uint8_t *source, size_t readable, size_t source_width, float *target, size_t width, const int32_t *first,
    const float *weights, bool vectorized) {
    size_t x = vectorized ? filter_vectors(source, readable, source_width, target, width, first, weights) : 0;
    for (; x < width; x++) {
        size_t left = (size_t)first[x], right = left + 1 < source_width ? left + 1 : left;
        for (size_t channel = 0; channel < 3; channel++) {
            float second = scaled(source[3 * right + channel]) * weights[2 * x + 1];
            target[3 * x + channel] = fmaf(scaled(source[3 * left + channel]), weights[2 * x], second);
        }
    }
}

AVX2_FMA static size_t mix_vectors(
    const float *upper, const float *lower, float *target, size_t count, const float *weights) {
    __m256 first = _mm256_set1_ps(weights[0]), second = _mm256_set1_ps(weights[1]);
    size_t x = 0;
    for (; x + 8 <= count; x += 8) {
        __m256 product = _mm256_mul_ps(_mm256_loadu_ps(lower + x), second);
        _mm256_storeu_ps(target + x, _mm256_fmadd_ps(_mm256_loadu_ps(upper + x), first, product));
    }
    return x;
}

void apus_torch_mix_rows(
    const float *upper, const float *lower, float *target, size_t count, const float *weights, bool vectorized) {
    for (size_t x = vectorized ? mix_vectors(upper, lower, target, count, weights) : 0; x < count; x++) {
        float product = lower[x] * weights[1];
        target[x] = fmaf(upper[x], weights[0], product);
    }
}

void apus_torch_small_row(
    const uint8_t *upper, const uint8_t *lower, size_t source_width, float *target, size_t width, const int32_t *first,
    const float *weights, const float *row_weights) {
    for (size_t x = 0; x < width; x++) {
        size_t left = 3 * (size_t)first[x], right = (size_t)first[x] + 1 < source_width ? left + 3 : left;
        float upper_left = row_weights[0] * weights[2 * x], upper_right = row_weights[0] * weights[2 * x + 1];
        float lower_left = row_weights[1] * weights[2 * x], lower_right = row_weights[1] * weights[2 * x + 1];
        for (size_t channel = 0; channel < 3; channel++) {
            float sum = scaled(upper[right + channel]) * upper_right;
            sum = fmaf(scaled(upper[left + channel]), upper_left, sum);
            sum = fmaf(scaled(lower[left + channel]), lower_left, sum);
            target[3 * x + channel] = fmaf(scaled(lower[right + channel]), lower_right, sum);
        }
    }
}
