#include "taps.h"
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

// The 8 bytes at a pixel: the pixel, the next one, and two bytes more.
AVX2 static __m128i pixels(const uint8_t *source, int32_t left, int32_t right) {
    __m128i low = _mm_loadl_epi64((const __m128i *)(source + 3 * (size_t)left));
    __m128i high = _mm_loadl_epi64((const __m128i *)(source + 3 * (size_t)right));
    return _mm_unpacklo_epi64(low, high);
}

// Four pixels at a time; returns the first remaining pixel.
AVX2 static size_t filter_vectors(
    const uint8_t *source, size_t readable, size_t source_width, int16_t *target, size_t width, const int32_t *first,
    const int16_t *weights) {
    // Both taps of a channel interleaved: rr gg bb --, for each of two pixels.
    const __m128i pairs = _mm_setr_epi8(0, 3, 1, 4, 2, 5, -1, -1, 8, 11, 9, 12, 10, 13, -1, -1);
    const __m256i even = _mm256_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2), odd = _mm256_setr_epi32(1, 1, 1, 1, 3, 3, 3, 3);
    const __m256i compact = _mm256_setr_epi8(
        0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1, 0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1);
    size_t x = 0;
    for (; x + 4 <= width; x += 4) {
        size_t last = (size_t)first[x + 3];
        if (last + 1 >= source_width || 3 * last + 8 > readable) break;
        __m256i four = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(weights + 2 * x)));
        __m256i a = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(pixels(source, first[x], first[x + 2]), pairs));
        __m256i b = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(pixels(source, first[x + 1], first[x + 3]), pairs));
        a = _mm256_srli_epi32(_mm256_madd_epi16(a, _mm256_permutevar8x32_epi32(four, even)), 4);
        b = _mm256_srli_epi32(_mm256_madd_epi16(b, _mm256_permutevar8x32_epi32(four, odd)), 4);
        __m256i sums = _mm256_shuffle_epi8(_mm256_packs_epi32(a, b), compact);
        // Each store writes two samples too many, which the next one or its successor overwrites.
        _mm_storeu_si128((__m128i *)(target + 3 * x), _mm256_castsi256_si128(sums));
        _mm_storeu_si128((__m128i *)(target + 3 * x + 6), _mm256_extracti128_si256(sums, 1));
    }
    return x;
}

void apus_opencv_filter_row(
    const uint8_t *source, size_t readable, size_t source_width, int16_t *target, size_t width, const int32_t *first,
    const int16_t *weights, bool vectorized) {
    size_t x = vectorized ? filter_vectors(source, readable, source_width, target, width, first, weights) : 0;
    for (; x < width; x++) {
        size_t left = (size_t)first[x], right = left + 1 < source_width ? left + 1 : left;
        for (size_t channel = 0; channel < 3; channel++) {
            int32_t sum = source[3 * left + channel] * weights[2 * x] + source[3 * right + channel] * weights[2 * x + 1];
            target[3 * x + channel] = (int16_t)(sum >> 4);
        }
    }
}

AVX2 static __m256i mixed(const int16_t *upper, const int16_t *lower, __m256i first, __m256i second) {
    __m256i a = _mm256_mulhi_epi16(_mm256_loadu_si256((const __m256i *)upper), first);
    __m256i b = _mm256_mulhi_epi16(_mm256_loadu_si256((const __m256i *)lower), second);
    return _mm256_srai_epi16(_mm256_add_epi16(_mm256_add_epi16(a, b), _mm256_set1_epi16(2)), 2);
}

AVX2 static size_t mix_vectors(
    const int16_t *upper, const int16_t *lower, uint8_t *target, size_t count, const int16_t *weights) {
    __m256i first = _mm256_set1_epi16(weights[0]), second = _mm256_set1_epi16(weights[1]);
    size_t x = 0;
    for (; x + 32 <= count; x += 32) {
        __m256i bytes = _mm256_packus_epi16(
            mixed(upper + x, lower + x, first, second), mixed(upper + x + 16, lower + x + 16, first, second));
        // Packing works within halves, so the quarters are reordered afterwards.
        bytes = _mm256_permute4x64_epi64(bytes, _MM_SHUFFLE(3, 1, 2, 0));
        _mm256_storeu_si256((__m256i *)(target + x), bytes);
    }
    return x;
}

void apus_opencv_mix_rows(
    const int16_t *upper, const int16_t *lower, uint8_t *target, size_t count, const int16_t *weights, bool vectorized) {
    for (size_t x = vectorized ? mix_vectors(upper, lower, target, count, weights) : 0; x < count; x++) {
        int32_t sum = (upper[x] * weights[0] >> 16) + (lower[x] * weights[1] >> 16);
        target[x] = (uint8_t)((sum + 2) >> 2);
    }
}

// Two pixels from 12 bytes of each row: six sums of four bytes.
AVX2 static __m256i quarters(__m256i upper, __m256i lower) {
    const __m256i pairs = _mm256_setr_epi8(
        0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1, 0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1);
    const __m256i ones = _mm256_set1_epi8(1);
    __m256i sums = _mm256_add_epi16(
        _mm256_maddubs_epi16(_mm256_shuffle_epi8(upper, pairs), ones),
        _mm256_maddubs_epi16(_mm256_shuffle_epi8(lower, pairs), ones));
    return _mm256_srli_epi16(_mm256_add_epi16(sums, _mm256_set1_epi16(2)), 2);
}

AVX2 static __m256i joined(const uint8_t *row) {
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)row)), _mm_loadu_si128((const __m128i *)(row + 12)), 1);
}

// Four target pixels at a time, from 24 bytes of each row; four more are read, and two more written, inside the row.
AVX2 static size_t halve_vectors(const uint8_t *upper, const uint8_t *lower, uint8_t *target, size_t width) {
    size_t x = 0;
    for (; x + 5 <= width; x += 4) {
        __m256i sums = quarters(joined(upper + 6 * x), joined(lower + 6 * x));
        __m256i bytes = _mm256_packus_epi16(sums, sums);
        _mm_storel_epi64((__m128i *)(target + 3 * x), _mm256_castsi256_si128(bytes));
        _mm_storel_epi64((__m128i *)(target + 3 * x + 6), _mm256_extracti128_si256(bytes, 1));
    }
    return x;
}

void apus_opencv_halve_rows(
    const uint8_t *upper, const uint8_t *lower, uint8_t *target, size_t width, bool vectorized) {
    for (size_t x = vectorized ? halve_vectors(upper, lower, target, width) : 0; x < width; x++) {
        for (size_t channel = 0; channel < 3; channel++) {
            size_t left = 6 * x + channel, right = left + 3;
            target[3 * x + channel] = (uint8_t)((upper[left] + upper[right] + lower[left] + lower[right] + 2) >> 2);
        }
    }
}
