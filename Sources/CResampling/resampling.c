#include "resampling.h"
#include <immintrin.h>
#include <string.h>

#define HALF (1 << (APUS_WEIGHT_PRECISION - 1))
#define AVX2 __attribute__((target("avx2")))

bool apus_resampling_is_vectorized(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static uint8_t rounded(int32_t sum) {
    int32_t value = (sum + HALF) >> APUS_WEIGHT_PRECISION;
    return value > 255 ? 255 : value;
}

static int32_t weight(const int16_t *weights, size_t tap) {
    const int16_t *group = weights + tap / 4 * APUS_WEIGHT_GROUP + tap % 4;
    return ((int32_t)group[0] << APUS_WEIGHT_LOW_BITS) + group[4];
}

// Eight sums of both parts, rounded to bytes.
AVX2 static __m256i joined(__m256i high, __m256i low) {
    __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high, APUS_WEIGHT_LOW_BITS), low);
    return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)), APUS_WEIGHT_PRECISION);
}

AVX2 void apus_filter_row(
    const uint8_t *source, size_t readable, uint8_t *target, size_t width, const intptr_t *first, const int16_t *weights,
    size_t groups) {
    // Four pixels of the sixteen bytes read become pairs of a channel's bytes: rr gg bb -- of two, then of two more.
    const __m128i pairs = _mm_setr_epi8(0, 3, 1, 4, 2, 5, -1, -1, 6, 9, 7, 10, 8, 11, -1, -1);
    // From a group's 16 bytes of weights: high 0 1 four times, high 2 3 four times; the same for low.
    const __m256i highs = _mm256_setr_epi8(
        0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7);
    const __m256i lows = _mm256_add_epi8(highs, _mm256_set1_epi8(8));
    size_t x = 0;
    // Writing the last target pixel would exceed the row by a byte, so it is left to the next loop.
    for (; x + 1 < width; x++) {
        const uint8_t *pixel = source + 3 * first[x];
        if (3 * (size_t)first[x] + 12 * groups + 4 > readable) break;
        const int16_t *group = weights + x * groups * APUS_WEIGHT_GROUP;
        __m256i high = _mm256_setzero_si256(), low = _mm256_setzero_si256();
        for (size_t index = 0; index < groups; index++, pixel += 12, group += APUS_WEIGHT_GROUP) {
            __m128i bytes = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)pixel), pairs);
            __m256i values = _mm256_cvtepu8_epi16(bytes);
            __m256i both = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)group));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(values, _mm256_shuffle_epi8(both, highs)));
            low = _mm256_add_epi32(low, _mm256_madd_epi16(values, _mm256_shuffle_epi8(both, lows)));
        }
        // The two halves are sums of different taps of the same pixel: red, green, blue, unused.
        __m256i halves = _mm256_add_epi32(_mm256_slli_epi32(high, APUS_WEIGHT_LOW_BITS), low);
        __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
        sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(HALF)), APUS_WEIGHT_PRECISION);
        sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);
        int32_t rgb = _mm_cvtsi128_si32(sum);
        memcpy(target + 3 * x, &rgb, 4);
    }
    for (; x < width; x++) {
        const uint8_t *pixel = source + 3 * first[x];
        const int16_t *own = weights + x * groups * APUS_WEIGHT_GROUP;
        int32_t sums[3] = {0, 0, 0};
        for (size_t tap = 0; tap < 4 * groups; tap++) {
            // Taps without weight may lie beyond the image.
            int32_t factor = weight(own, tap);
            if (factor == 0) continue;
            for (int channel = 0; channel < 3; channel++) sums[channel] += pixel[3 * tap + channel] * factor;
        }
        for (int channel = 0; channel < 3; channel++) target[3 * x + channel] = rounded(sums[channel]);
    }
}

AVX2 void apus_mix_rows(
    const uint8_t *source, size_t stride, size_t taps, uint8_t *target, size_t count, const int16_t *weights) {
    size_t x = 0;
    for (; x + 16 <= count; x += 16) {
        __m256i high[2], low[2];
        for (int side = 0; side < 2; side++) high[side] = low[side] = _mm256_setzero_si256();
        for (size_t tap = 0; tap < taps; tap += 2) {
            // An odd last row is paired with itself, at zero weight.
            size_t second = tap + 1 < taps ? tap + 1 : tap;
            __m128i upper = _mm_loadu_si128((const __m128i *)(source + tap * stride + x));
            __m128i lower = _mm_loadu_si128((const __m128i *)(source + second * stride + x));
            const int16_t *pair = weights + tap / 4 * APUS_WEIGHT_GROUP + tap % 4;
            int32_t factors[2];
            memcpy(&factors[0], pair, 4);
            memcpy(&factors[1], pair + 4, 4);
            __m256i high_factors = _mm256_set1_epi32(factors[0]), low_factors = _mm256_set1_epi32(factors[1]);
            __m256i values[2] = {
                _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(upper, lower)),
                _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(upper, lower))};
            for (int side = 0; side < 2; side++) {
                high[side] = _mm256_add_epi32(high[side], _mm256_madd_epi16(values[side], high_factors));
                low[side] = _mm256_add_epi32(low[side], _mm256_madd_epi16(values[side], low_factors));
            }
        }
        // Packing works within halves, so the quarters are reordered afterwards.
        __m256i packed = _mm256_packs_epi32(joined(high[0], low[0]), joined(high[1], low[1]));
        packed = _mm256_permute4x64_epi64(packed, _MM_SHUFFLE(3, 1, 2, 0));
        __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(packed), _mm256_extracti128_si256(packed, 1));
        _mm_storeu_si128((__m128i *)(target + x), bytes);
    }
    for (; x < count; x++) {
        int32_t sum = 0;
        for (size_t tap = 0; tap < taps; tap++) sum += source[tap * stride + x] * weight(weights, tap);
        target[x] = rounded(sum);
    }
}
