#include "demo_model.h"

#pragma clang diagnostic ignored "-Wc23-extensions" // #embed: C23, and clang's extension before it

static const unsigned char model[] = {
#embed "demo.onnx"
};

const void *apus_demo_model_bytes(void) { return model; }
size_t apus_demo_model_size(void) { return sizeof model; }

static const unsigned char farm[] = {
#embed "../../Examples/pictures/farm.jpg"
};
static const unsigned char safari[] = {
#embed "../../Examples/pictures/safari.jpg"
};
static const unsigned char street[] = {
#embed "../../Examples/pictures/street.jpg"
};

static const struct {
    const char *name;
    const unsigned char *bytes;
    size_t size;
} pictures[] = {
    {"farm.jpg", farm, sizeof farm}, {"safari.jpg", safari, sizeof safari}, {"street.jpg", street, sizeof street}};

size_t apus_demo_picture_count(void) { return sizeof pictures / sizeof pictures[0]; }
const char *apus_demo_picture_name(size_t index) { return pictures[index].name; }
const void *apus_demo_picture_bytes(size_t index) { return pictures[index].bytes; }
size_t apus_demo_picture_size(size_t index) { return pictures[index].size; }
