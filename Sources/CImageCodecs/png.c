#include "image_codecs.h"

#include <png.h>
#include <stdio.h>
#include <string.h>

static void fail(png_structp png, png_const_charp text) {
    snprintf(png_get_error_ptr(png), APUS_PNG_MESSAGE_SIZE, "%s", text);
    png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

struct source {
    const uint8_t *bytes;
    size_t left;
};

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    struct source *source = png_get_io_ptr(png);
    if (count > source->left) png_error(png, "the file is truncated");
    memcpy(target, source->bytes, count);
    source->bytes += count;
    source->left -= count;
}

bool apus_png_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, uint8_t *pixels, char *message) {
    // Texts and colour profiles are not used; unread, they cannot be used against us either.
    static const png_byte unused[] =
        "iCCP\0tEXt\0zTXt\0iTXt\0sPLT\0hIST\0eXIf\0tIME\0pHYs\0oFFs\0pCAL\0sCAL\0bKGD\0cHRM\0gAMA\0sRGB\0sBIT";
    struct source source = {bytes, count};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, fail, ignore_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        snprintf(message, APUS_PNG_MESSAGE_SIZE, "out of memory");
        png_destroy_read_struct(&png, NULL, NULL);
        return false;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        return false;
    }
    png_set_read_fn(png, &source, read_bytes);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, unused, sizeof unused / 5);
    png_set_chunk_malloc_max(png, 1 << 20);
    png_read_info(png, info);
    png_set_strip_16(png);
    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_image_width(png, info) != width || png_get_image_height(png, info) != height ||
        png_get_rowbytes(png, info) != 3 * (size_t)width) {
        png_error(png, "its header changed while it was read");
    }
    for (int pass = 0; pass < passes; pass++) {
        for (size_t y = 0; y < height; y++) png_read_row(png, pixels + 3 * y * width, NULL);
    }
    png_read_end(png, NULL);
    png_destroy_read_struct(&png, &info, NULL);
    return true;
}

struct sink {
    void *context;
    void (*write)(void *context, const uint8_t *bytes, size_t count);
};

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
    struct sink *sink = png_get_io_ptr(png);
    sink->write(sink->context, bytes, count);
}

static void flush(png_structp png) { (void)png; }

bool apus_png_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, void *context,
    void (*write)(void *context, const uint8_t *bytes, size_t count), char *message) {
    struct sink sink = {context, write};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, fail, ignore_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        snprintf(message, APUS_PNG_MESSAGE_SIZE, "out of memory");
        png_destroy_write_struct(&png, NULL);
        return false;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_set_write_fn(png, &sink, write_bytes, flush);
    png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, 4); // 12 megapixels at 9 take many seconds for a few per cent
    png_write_info(png, info);
    for (size_t y = 0; y < height; y++) png_write_row(png, pixels + 3 * y * width);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return true;
}
