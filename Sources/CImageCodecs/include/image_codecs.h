// The image libraries. libjpeg and libpng report errors by longjmp, so only C can call them.
#ifndef APUS_IMAGE_CODECS_H
#define APUS_IMAGE_CODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <webp/decode.h>
#include <webp/demux.h>

#define APUS_IMAGE_MESSAGE_SIZE 200

// What a decoder is about to do. `DecodeBudget` in Swift sets the price of each.
typedef enum {
    APUS_WORK_CALL,                    // a read of the file or of a row, at a fixed cost regardless of size
    APUS_WORK_SAMPLE,                  // a sample of a row that is unpacked or converted
    APUS_WORK_SCAN,                    // the tables of a JPEG scan
    APUS_WORK_BLOCK,                   // a block of 8x8 coefficients that a JPEG scan visits
    APUS_WORK_COEFFICIENT,             // a Huffman-coded coefficient of such a block
    APUS_WORK_ARITHMETIC_COEFFICIENT,  // an arithmetic-coded coefficient of such a block
    APUS_WORK_ARITHMETIC_BIT,          // the next bit of such a coefficient
} apus_work;

// Called before the work is done; the decoder stops if it returns false.
typedef struct {
    bool (*spend)(void *context, apus_work work, uint64_t amount);
    void *context;
} apus_meter;

typedef enum {
    APUS_DECODED,
    APUS_DAMAGED,   // `message` has the reason
    APUS_TRUNCATED, // the file ends before the image does
    APUS_STOPPED,   // the meter stopped it
} apus_outcome;

// Decodes a PNG of known size to RGB, 8 bits each, alpha dropped. `pixels` holds 3 * width * height bytes.
apus_outcome apus_png_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, uint8_t *pixels, apus_meter meter,
    char message[APUS_IMAGE_MESSAGE_SIZE]);

// Encodes RGB to PNG and passes the file's bytes to `write` in pieces.
bool apus_png_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, void *context,
    void (*write)(void *context, const uint8_t *bytes, size_t count), char message[APUS_IMAGE_MESSAGE_SIZE]);

typedef struct {
    uint32_t width, height;
    uint32_t channels; // 3 for RGB, 4 for CMYK
    bool is_arithmetic;
} apus_jpeg_header;

apus_outcome apus_jpeg_read_header(
    const uint8_t *bytes, size_t count, apus_jpeg_header *header, char message[APUS_IMAGE_MESSAGE_SIZE]);

// Decodes a JPEG to `channels` bytes per pixel. If it is decoded, `message` is the first warning, or empty.
apus_outcome apus_jpeg_decode(
    const uint8_t *bytes, size_t count, apus_jpeg_header header, uint8_t *pixels, apus_meter meter,
    char message[APUS_IMAGE_MESSAGE_SIZE]);

// Encodes RGB to JPEG without chroma subsampling. The caller frees `*file`.
bool apus_jpeg_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, int quality, uint8_t **file, size_t *count,
    char message[APUS_IMAGE_MESSAGE_SIZE]);

#endif
