// The part of OpenVINO's C API (libopenvino_c.so) that Apus calls, resolved by name at run time.
//
// `Scripts/check-openvino-abi.sh` compares every declaration with the official headers, parameter by parameter.
#ifndef APUS_OPENVINO_ABI_H
#define APUS_OPENVINO_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ov_core ov_core_t;
typedef struct ov_model ov_model_t;
typedef struct ov_compiled_model ov_compiled_model_t;
typedef struct ov_infer_request ov_infer_request_t;
typedef struct ov_tensor ov_tensor_t;
typedef struct ov_output_const_port ov_output_const_port_t;

// Enumerations of the official headers. 0 is success; element types are listed in ElementType+OpenVINO.swift.
typedef int32_t ov_status_e;
typedef uint32_t ov_element_type_e;

typedef struct {
    char **devices;
    size_t size;
} ov_available_devices_t;

typedef struct {
    const char *buildNumber;
    const char *description;
} ov_version_t;

typedef struct {
    const char *key;
    const void *value;
} ov_property_t;

typedef struct ov_dimension {
    int64_t min;
    int64_t max;
} ov_dimension_t;

typedef ov_dimension_t ov_rank_t;

typedef struct ov_partial_shape {
    ov_rank_t rank;
    ov_dimension_t *dims;
} ov_partial_shape_t;

typedef struct {
    int64_t rank;
    int64_t *dims;
} ov_shape_t;

typedef struct {
    int32_t status;  // 0 not run, 1 optimized out, 2 executed
    int64_t real_time;
    int64_t cpu_time;
    const char *node_name;
    const char *exec_type;
    const char *node_type;
} ov_profiling_info_t;

typedef struct {
    ov_profiling_info_t *profiling_infos;
    size_t size;
} ov_profiling_info_list_t;

// A pointer to a function of the library: `name_t`. Parameters are written as in the official headers.
#define OV_FUNCTION(result, name, ...) typedef result (*name##_t)(__VA_ARGS__);

// Library
OV_FUNCTION(ov_status_e, ov_get_openvino_version, ov_version_t* version)
OV_FUNCTION(void, ov_version_free, ov_version_t* version)
OV_FUNCTION(const char*, ov_get_error_info, ov_status_e status)
OV_FUNCTION(const char*, ov_get_last_err_msg, void)
OV_FUNCTION(void, ov_free, const char* content)

// Core
OV_FUNCTION(ov_status_e, ov_core_create, ov_core_t** core)
OV_FUNCTION(void, ov_core_free, ov_core_t* core)
OV_FUNCTION(ov_status_e, ov_core_get_available_devices, const ov_core_t* core, ov_available_devices_t* devices)
OV_FUNCTION(void, ov_available_devices_free, ov_available_devices_t* devices)
OV_FUNCTION(ov_status_e, ov_core_get_property, const ov_core_t* core, const char* device_name, const char* property_key, char** property_value)
OV_FUNCTION(ov_status_e, ov_core_read_model, const ov_core_t* core, const char* model_path, const char* bin_path, ov_model_t** model)
OV_FUNCTION(ov_status_e, ov_core_read_model_from_memory_buffer, const ov_core_t* core, const char* model_str, const size_t str_len, const ov_tensor_t* weights, ov_model_t** model)
OV_FUNCTION(ov_status_e, ov_core_compile_model_props, const ov_core_t* core, const ov_model_t* model, const char* device_name, const size_t num_properties, const ov_property_t* properties, ov_compiled_model_t** compiled_model)

// Model and compiled model
OV_FUNCTION(void, ov_model_free, ov_model_t* model)
OV_FUNCTION(ov_status_e, ov_model_reshape, const ov_model_t* model, const char** tensor_names, const ov_partial_shape_t* partial_shapes, size_t size)
OV_FUNCTION(ov_status_e, ov_compiled_model_inputs_size, const ov_compiled_model_t* compiled_model, size_t* size)
OV_FUNCTION(ov_status_e, ov_compiled_model_input_by_index, const ov_compiled_model_t* compiled_model, const size_t index, ov_output_const_port_t** input_port)
OV_FUNCTION(ov_status_e, ov_compiled_model_outputs_size, const ov_compiled_model_t* compiled_model, size_t* size)
OV_FUNCTION(ov_status_e, ov_compiled_model_output_by_index, const ov_compiled_model_t* compiled_model, const size_t index, ov_output_const_port_t** output_port)
OV_FUNCTION(ov_status_e, ov_compiled_model_get_property, const ov_compiled_model_t* compiled_model, const char* property_key, char** property_value)
OV_FUNCTION(ov_status_e, ov_compiled_model_create_infer_request, const ov_compiled_model_t* compiled_model, ov_infer_request_t** infer_request)
OV_FUNCTION(void, ov_compiled_model_free, ov_compiled_model_t* compiled_model)

// Ports, shapes and tensors
OV_FUNCTION(ov_status_e, ov_port_get_any_name, const ov_output_const_port_t* port, char** tensor_name)
OV_FUNCTION(ov_status_e, ov_port_get_partial_shape, const ov_output_const_port_t* port, ov_partial_shape_t* partial_shape)
OV_FUNCTION(ov_status_e, ov_port_get_element_type, const ov_output_const_port_t* port, ov_element_type_e* tensor_type)
OV_FUNCTION(void, ov_output_const_port_free, ov_output_const_port_t* port)
OV_FUNCTION(void, ov_partial_shape_free, ov_partial_shape_t* partial_shape)
OV_FUNCTION(ov_status_e, ov_shape_free, ov_shape_t* shape)
OV_FUNCTION(ov_status_e, ov_tensor_create_from_host_ptr, const ov_element_type_e type, const ov_shape_t shape, void* host_ptr, ov_tensor_t** tensor)
OV_FUNCTION(ov_status_e, ov_tensor_get_shape, const ov_tensor_t* tensor, ov_shape_t* shape)
OV_FUNCTION(ov_status_e, ov_tensor_get_element_type, const ov_tensor_t* tensor, ov_element_type_e* type)
OV_FUNCTION(ov_status_e, ov_tensor_get_byte_size, const ov_tensor_t* tensor, size_t* byte_size)
OV_FUNCTION(ov_status_e, ov_tensor_data, const ov_tensor_t* tensor, void** data)
OV_FUNCTION(void, ov_tensor_free, ov_tensor_t* tensor)

// Infer requests
OV_FUNCTION(ov_status_e, ov_infer_request_set_input_tensor_by_index, ov_infer_request_t* infer_request, const size_t idx, const ov_tensor_t* tensor)
OV_FUNCTION(ov_status_e, ov_infer_request_get_output_tensor_by_index, const ov_infer_request_t* infer_request, const size_t idx, ov_tensor_t** tensor)
OV_FUNCTION(ov_status_e, ov_infer_request_infer, ov_infer_request_t* infer_request)
OV_FUNCTION(ov_status_e, ov_infer_request_cancel, ov_infer_request_t* infer_request)
OV_FUNCTION(void, ov_infer_request_free, ov_infer_request_t* infer_request)
OV_FUNCTION(ov_status_e, ov_infer_request_get_profiling_info, const ov_infer_request_t* infer_request, ov_profiling_info_list_t* profiling_infos)
OV_FUNCTION(void, ov_profiling_info_list_free, ov_profiling_info_list_t* profiling_infos)

#endif
