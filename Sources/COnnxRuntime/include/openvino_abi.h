// The part of OpenVINO's C API (libopenvino_c.so) that Apus calls, resolved by name at run time.
#ifndef APUS_OPENVINO_ABI_H
#define APUS_OPENVINO_ABI_H

#include <stddef.h>
#include <stdint.h>

typedef struct ov_core ov_core_t;

typedef struct {
    char **devices;
    size_t size;
} ov_available_devices_t;

typedef struct {
    const char *buildNumber;
    const char *description;
} ov_version_t;

typedef int32_t (*ov_core_create_t)(ov_core_t **core);
typedef void (*ov_core_free_t)(ov_core_t *core);
typedef int32_t (*ov_core_get_available_devices_t)(const ov_core_t *core, ov_available_devices_t *devices);
typedef void (*ov_available_devices_free_t)(ov_available_devices_t *devices);
typedef int32_t (*ov_core_get_property_t)(
    const ov_core_t *core, const char *device, const char *key, char **value);
typedef void (*ov_free_t)(const char *text);
typedef int32_t (*ov_get_openvino_version_t)(ov_version_t *version);
typedef void (*ov_version_free_t)(ov_version_t *version);
typedef const char *(*ov_get_error_info_t)(int32_t status);

#endif
