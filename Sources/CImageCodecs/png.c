#include "image_codecs.h"

#include <png.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static void fail(png_structp png, png_const_charp text) {
    snprintf(png_get_error_ptr(png), APUS_IMAGE_MESSAGE_SIZE, "%s", text);
    png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

// One file being decoded.
struct decoder {
    const uint8_t *bytes;
    size_t count, read;
    uint32_t width, height;
    uint8_t *pixels;
    apus_meter meter;
    apus_outcome outcome;
    // The destination of the row that libpng is reading, and whether it is the last one.
    size_t start, step;
    bool is_last;
};

static void spend(png_structp png, struct decoder *decoder, apus_work work, uint64_t amount) {
    if (decoder->meter.spend(decoder->meter.context, work, amount)) return;
    decoder->outcome = APUS_STOPPED;
    png_longjmp(png, 1);
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    struct decoder *decoder = png_get_io_ptr(png);
    spend(png, decoder, APUS_WORK_CALL, 1);
    if (count > decoder->count - decoder->read) {
        decoder->outcome = APUS_TRUNCATED;
        png_longjmp(png, 1);
    }
    memcpy(target, decoder->bytes + decoder->read, count);
    decoder->read += count;
}

// Stores a row that is already RGB. Stops after the last one, as libpng would inflate any remaining data.
static void place_row(png_structp png, png_row_infop row, png_bytep data) {
    struct decoder *decoder = png_get_user_transform_ptr(png);
    uint8_t *target = decoder->pixels + 3 * decoder->start;
    if (decoder->step == 1) {
        memcpy(target, data, 3 * (size_t)row->width);
    } else {
        for (size_t x = 0; x < row->width; x++) memcpy(target + 3 * x * decoder->step, data + 3 * x, 3);
    }
    if (!decoder->is_last) return;
    decoder->outcome = APUS_DECODED;
    png_longjmp(png, 1);
}

static void start_reading(png_structp png, png_infop info, struct decoder *decoder) {
    // Texts and color profiles are not used; unread, they are no attack surface either.
    static const png_byte unused[] =
        "iCCP\0tEXt\0zTXt\0iTXt\0sPLT\0hIST\0eXIf\0tIME\0pHYs\0oFFs\0pCAL\0sCAL\0bKGD\0cHRM\0gAMA\0sRGB\0sBIT";
    png_set_read_fn(png, decoder, read_bytes);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, unused, sizeof unused / 5);
    png_set_chunk_malloc_max(png, 1 << 20);
    png_read_info(png, info);
    png_set_strip_16(png);
    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    png_set_read_user_transform_fn(png, place_row);
    png_set_user_transform_info(png, decoder, 0, 0);
    png_read_update_info(png, info);
    if (png_get_image_width(png, info) != decoder->width || png_get_image_height(png, info) != decoder->height ||
        png_get_rowbytes(png, info) != 3 * (size_t)decoder->width) {
        png_error(png, "its header changed while it was read");
    }
}

// Reads rows [0, rows) of a pass over every pixel, or over the pixels of an Adam7 pass.
static void read_pass(png_structp png, struct decoder *decoder, int pass, bool is_interlaced, bool is_last) {
    uint32_t columns = is_interlaced ? PNG_PASS_COLS(decoder->width, pass) : decoder->width;
    uint32_t rows = is_interlaced ? PNG_PASS_ROWS(decoder->height, pass) : decoder->height;
    if (columns == 0) return;
    for (uint32_t row = 0; row < rows; row++) {
        size_t x = is_interlaced ? PNG_PASS_START_COL(pass) : 0;
        size_t y = is_interlaced ? PNG_ROW_FROM_PASS_ROW(row, pass) : row;
        decoder->start = y * decoder->width + x;
        decoder->step = is_interlaced ? (size_t)1 << PNG_PASS_COL_SHIFT(pass) : 1;
        decoder->is_last = is_last && row == rows - 1;
        spend(png, decoder, APUS_WORK_CALL, 1);
        spend(png, decoder, APUS_WORK_SAMPLE, 4 * (uint64_t)columns);
        png_read_row(png, NULL, NULL);
    }
}

static void read_rows(png_structp png, png_infop info, struct decoder *decoder) {
    bool is_interlaced = png_get_interlace_type(png, info) == PNG_INTERLACE_ADAM7;
    int last = 0;
    for (int pass = 0; is_interlaced && pass < PNG_INTERLACE_ADAM7_PASSES; pass++) {
        if (PNG_PASS_COLS(decoder->width, pass) > 0 && PNG_PASS_ROWS(decoder->height, pass) > 0) last = pass;
    }
    for (int pass = 0; pass <= last; pass++) read_pass(png, decoder, pass, is_interlaced, pass == last);
    png_error(png, "its last row is missing");
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// Checks what follows the last row without inflating it: the image data's checksums, and that the file is complete.
static apus_outcome check_rest(struct decoder *decoder, char *message) {
    size_t offset = 8;
    while (decoder->count - offset >= 12) {
        const uint8_t *chunk = decoder->bytes + offset;
        size_t length = big_endian(chunk);
        if (length > decoder->count - offset - 12) break;
        offset += length + 12;
        if (memcmp(chunk + 4, "IEND", 4) == 0) return APUS_DECODED;
        if (!decoder->meter.spend(decoder->meter.context, APUS_WORK_CALL, 1)) return APUS_STOPPED;
        if (offset <= decoder->read || memcmp(chunk + 4, "IDAT", 4) != 0) continue; // libpng has checked it
        if (crc32_z(0, chunk + 4, length + 4) != big_endian(chunk + 8 + length)) {
            snprintf(message, APUS_IMAGE_MESSAGE_SIZE, "IDAT: CRC error");
            return APUS_DAMAGED;
        }
    }
    return APUS_TRUNCATED;
}

apus_outcome apus_png_decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, uint8_t *pixels, apus_meter meter,
    char message[APUS_IMAGE_MESSAGE_SIZE]) {
    struct decoder decoder = {
        .bytes = bytes, .count = count, .width = width, .height = height, .pixels = pixels, .meter = meter};
    decoder.outcome = APUS_DAMAGED;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, fail, ignore_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        snprintf(message, APUS_IMAGE_MESSAGE_SIZE, "out of memory");
        png_destroy_read_struct(&png, NULL, NULL);
        return APUS_DAMAGED;
    }
    if (setjmp(png_jmpbuf(png)) == 0) {
        start_reading(png, info, &decoder);
        read_rows(png, info, &decoder);
    }
    png_destroy_read_struct(&png, &info, NULL);
    return decoder.outcome == APUS_DECODED ? check_rest(&decoder, message) : decoder.outcome;
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
    void (*write)(void *context, const uint8_t *bytes, size_t count), char message[APUS_IMAGE_MESSAGE_SIZE]) {
    struct sink sink = {context, write};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, fail, ignore_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        snprintf(message, APUS_IMAGE_MESSAGE_SIZE, "out of memory");
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
    png_set_compression_level(png, 4); // level 9 takes many seconds for 12 megapixels and saves a few percent
    png_write_info(png, info);
    for (size_t y = 0; y < height; y++) png_write_row(png, pixels + 3 * y * width);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return true;
}
