#include "image_codecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

// One file being decoded. libjpeg passes pointers to its first members, which refer here through `client_data`.
struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    apus_meter meter;
    char *message;
    apus_outcome outcome;
    int scan;            // the last scan charged
    JDIMENSION row;      // the last row of blocks charged
    bool has_many_scans; // all scans are read before the first row is output
    bool is_collecting;  // scans are being read
    jmp_buf escape;
};

static void fail(j_common_ptr jpeg) {
    struct decoder *decoder = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    snprintf(decoder->message, APUS_IMAGE_MESSAGE_SIZE, "%s", text);
    // Arithmetic decoding cannot suspend at the end of the bytes.
    decoder->outcome = jpeg->err->msg_code == JERR_CANT_SUSPEND ? APUS_TRUNCATED : APUS_DAMAGED;
    longjmp(decoder->escape, 1);
}

// Keeps the first warning. Negative levels are warnings, others traces.
static void warn(j_common_ptr jpeg, int level) {
    struct decoder *decoder = jpeg->client_data;
    if (level >= 0 || jpeg->err->num_warnings++ > 0) return;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    snprintf(decoder->message, APUS_IMAGE_MESSAGE_SIZE, "%s", text);
}

static void ignore(j_common_ptr jpeg) { (void)jpeg; }

static void start_source(j_decompress_ptr jpeg) { (void)jpeg; }

// The whole file is in memory: there is never more input, and libjpeg suspends. It must not be given a fake end
// marker, or it would paint the missing part gray.
static boolean more_bytes(j_decompress_ptr jpeg) {
    (void)jpeg;
    return FALSE;
}

static void skip_bytes(j_decompress_ptr jpeg, long count) {
    if (count <= 0) return;
    size_t step = (size_t)count < jpeg->src->bytes_in_buffer ? (size_t)count : jpeg->src->bytes_in_buffer;
    jpeg->src->next_input_byte += step;
    jpeg->src->bytes_in_buffer -= step;
}

static void spend(struct decoder *decoder, apus_work work, uint64_t amount) {
    if (decoder->meter.spend(decoder->meter.context, work, amount)) return;
    decoder->outcome = APUS_STOPPED;
    longjmp(decoder->escape, 1);
}

static bool is_refinement(j_decompress_ptr jpeg) { return jpeg->progressive_mode && jpeg->Ah != 0; }

// Charges one row of blocks of the current scan.
static void pay_for_blocks(struct decoder *decoder) {
    j_decompress_ptr jpeg = &decoder->jpeg;
    if (jpeg->input_scan_number != decoder->scan) {
        decoder->scan = jpeg->input_scan_number;
        spend(decoder, APUS_WORK_SCAN, 1);
    }
    jpeg_component_info *only = jpeg->cur_comp_info[0];
    uint64_t blocks = jpeg->comps_in_scan == 1 ? (uint64_t)only->width_in_blocks * (uint64_t)only->v_samp_factor
                                               : (uint64_t)jpeg->MCUs_per_row * (uint64_t)jpeg->blocks_in_MCU;
    uint64_t coefficients = jpeg->progressive_mode ? (uint64_t)(jpeg->Se - jpeg->Ss + 1) : DCTSIZE2;
    spend(decoder, APUS_WORK_BLOCK, blocks);
    apus_work work = !jpeg->arith_code          ? APUS_WORK_COEFFICIENT
                     : is_refinement(jpeg) ? APUS_WORK_ARITHMETIC_BIT
                                           : APUS_WORK_ARITHMETIC_COEFFICIENT;
    spend(decoder, work, blocks * coefficients);
}

// libjpeg calls this before it reads a row of blocks of one of many scans, and before it writes a row of pixels.
static void progress(j_common_ptr common) {
    struct decoder *decoder = common->client_data;
    j_decompress_ptr jpeg = &decoder->jpeg;
    if (decoder->is_collecting) {
        pay_for_blocks(decoder);
        return;
    }
    if (!decoder->has_many_scans && jpeg->input_iMCU_row != decoder->row) { // a single scan is read as rows are output
        decoder->row = jpeg->input_iMCU_row;
        pay_for_blocks(decoder);
    }
    spend(decoder, APUS_WORK_CALL, 1);
    spend(decoder, APUS_WORK_SAMPLE, (uint64_t)jpeg->output_width * (uint64_t)jpeg->output_components);
}

static void open_source(struct decoder *decoder, const uint8_t *bytes, size_t count) {
    decoder->jpeg.err = jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = fail;
    decoder->errors.emit_message = warn;
    decoder->errors.output_message = ignore;
    decoder->jpeg.client_data = decoder;
    decoder->outcome = APUS_DAMAGED;
    decoder->message[0] = '\0';
    decoder->source = (struct jpeg_source_mgr){
        .next_input_byte = bytes,
        .bytes_in_buffer = count,
        .init_source = start_source,
        .fill_input_buffer = more_bytes,
        .skip_input_data = skip_bytes,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = start_source,
    };
}

static void read_header(struct decoder *decoder) {
    jpeg_create_decompress(&decoder->jpeg);
    decoder->jpeg.src = &decoder->source;
    if (jpeg_read_header(&decoder->jpeg, TRUE) == JPEG_SUSPENDED) {
        decoder->outcome = APUS_TRUNCATED;
        longjmp(decoder->escape, 1);
    }
    decoder->jpeg.out_color_space = decoder->jpeg.num_components == 4 ? JCS_CMYK : JCS_RGB;
}

apus_outcome apus_jpeg_read_header(
    const uint8_t *bytes, size_t count, apus_jpeg_header *header, char message[APUS_IMAGE_MESSAGE_SIZE]) {
    struct decoder decoder = {.message = message};
    open_source(&decoder, bytes, count);
    if (!setjmp(decoder.escape)) {
        read_header(&decoder);
        header->width = decoder.jpeg.image_width;
        header->height = decoder.jpeg.image_height;
        header->channels = decoder.jpeg.out_color_space == JCS_CMYK ? 4 : 3;
        header->is_arithmetic = decoder.jpeg.arith_code;
        decoder.outcome = APUS_DECODED;
    }
    jpeg_destroy_decompress(&decoder.jpeg);
    return decoder.outcome;
}

static void read_rows(struct decoder *decoder, apus_jpeg_header header, uint8_t *pixels) {
    j_decompress_ptr jpeg = &decoder->jpeg;
    decoder->progress.progress_monitor = progress;
    jpeg->progress = &decoder->progress;
    decoder->has_many_scans = decoder->is_collecting = jpeg_has_multiple_scans(jpeg);
    decoder->outcome = APUS_TRUNCATED;
    if (!jpeg_start_decompress(jpeg)) return;
    decoder->is_collecting = false;
    decoder->row = UINT32_MAX;
    size_t stride = (size_t)header.width * header.channels;
    if (jpeg->output_width != header.width || jpeg->output_height != header.height ||
        jpeg->output_components != (int)header.channels) {
        ERREXIT(jpeg, JERR_IMAGE_TOO_BIG);
    }
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = pixels + stride * jpeg->output_scanline;
        if (jpeg_read_scanlines(jpeg, &row, 1) == 0) return;
    }
    // All rows are decoded. What follows may be truncated, as in Pillow, but must not be another scan.
    jpeg_finish_decompress(jpeg);
    decoder->outcome = APUS_DECODED;
}

apus_outcome apus_jpeg_decode(
    const uint8_t *bytes, size_t count, apus_jpeg_header header, uint8_t *pixels, apus_meter meter,
    char message[APUS_IMAGE_MESSAGE_SIZE]) {
    struct decoder decoder = {.message = message, .meter = meter};
    open_source(&decoder, bytes, count);
    if (!setjmp(decoder.escape)) {
        read_header(&decoder);
        read_rows(&decoder, header, pixels);
    }
    jpeg_destroy_decompress(&decoder.jpeg);
    return decoder.outcome;
}

struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    char *message;
    jmp_buf escape;
};

static void fail_encoding(j_common_ptr jpeg) {
    struct encoder *encoder = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    snprintf(encoder->message, APUS_IMAGE_MESSAGE_SIZE, "%s", text);
    longjmp(encoder->escape, 1);
}

bool apus_jpeg_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, int quality, uint8_t **file, size_t *count,
    char message[APUS_IMAGE_MESSAGE_SIZE]) {
    struct encoder encoder = {.message = message};
    unsigned char *buffer = NULL;
    unsigned long size = 0;
    encoder.jpeg.err = jpeg_std_error(&encoder.errors);
    encoder.errors.error_exit = fail_encoding;
    encoder.errors.output_message = ignore;
    encoder.jpeg.client_data = &encoder;
    if (setjmp(encoder.escape)) {
        jpeg_destroy_compress(&encoder.jpeg);
        return false;
    }
    jpeg_create_compress(&encoder.jpeg);
    jpeg_mem_dest(&encoder.jpeg, &buffer, &size);
    encoder.jpeg.image_width = width;
    encoder.jpeg.image_height = height;
    encoder.jpeg.input_components = 3;
    encoder.jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&encoder.jpeg);
    jpeg_set_quality(&encoder.jpeg, quality, TRUE);
    encoder.jpeg.comp_info[0].h_samp_factor = encoder.jpeg.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&encoder.jpeg, TRUE);
    while (encoder.jpeg.next_scanline < height) {
        JSAMPROW row = (JSAMPROW)pixels + 3 * (size_t)width * encoder.jpeg.next_scanline;
        jpeg_write_scanlines(&encoder.jpeg, &row, 1);
    }
    jpeg_finish_compress(&encoder.jpeg);
    jpeg_destroy_compress(&encoder.jpeg);
    *file = buffer;
    *count = size;
    return true;
}
