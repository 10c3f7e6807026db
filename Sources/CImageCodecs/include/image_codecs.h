// The image libraries, and the part of libpng that only C can call: it reports errors by longjmp.
#ifndef APUS_IMAGE_CODECS_H
#define APUS_IMAGE_CODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <turbojpeg.h>
#include <webp/decode.h>
#include <webp/demux.h>

#define APUS_PNG_MESSAGE_SIZE 160

// Decodes a PNG of known size to RGB, 8 bits each, alpha dropped. `pixels` holds 3 * width * height bytes.
// Returns false with the reason in `message`.
bool apus_png_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, uint8_t *pixels,
    char message[APUS_PNG_MESSAGE_SIZE]);

// Encodes RGB to PNG and hands the file's bytes to `write`, piece by piece.
bool apus_png_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, void *context,
    void (*write)(void *context, const uint8_t *bytes, size_t count), char message[APUS_PNG_MESSAGE_SIZE]);

#endif
