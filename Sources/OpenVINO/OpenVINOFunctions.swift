internal import COpenVINO
internal import Foundation

/// The functions of a library, by name.
struct SymbolTable {
    struct Missing: Error {
        var name: String
    }

    let handle: UnsafeMutableRawPointer
    let library: String

    /// - Throws: the name, if the library doesn't have the function.
    subscript<Function>(_ name: String) -> Function {
        get throws(Missing) {
            guard let address = dlsym(handle, name) else { throw Missing(name: name) }
            return unsafeBitCast(address, to: Function.self)
        }
    }
}

/// What every version of OpenVINO has: its version, errors and devices.
struct OpenVINOFunctions {
    let version: ov_get_openvino_version_t
    let freeVersion: ov_version_free_t
    let errorInfo: ov_get_error_info_t
    let lastError: ov_get_last_err_msg_t
    let freeText: ov_free_t
    let createCore: ov_core_create_t
    let freeCore: ov_core_free_t
    let devices: ov_core_get_available_devices_t
    let freeDevices: ov_available_devices_free_t
    let property: ov_core_get_property_t

    init(_ symbols: SymbolTable) throws(SymbolTable.Missing) {
        version = try symbols["ov_get_openvino_version"]
        freeVersion = try symbols["ov_version_free"]
        errorInfo = try symbols["ov_get_error_info"]
        lastError = try symbols["ov_get_last_err_msg"]
        freeText = try symbols["ov_free"]
        createCore = try symbols["ov_core_create"]
        freeCore = try symbols["ov_core_free"]
        devices = try symbols["ov_core_get_available_devices"]
        freeDevices = try symbols["ov_available_devices_free"]
        property = try symbols["ov_core_get_property"]
    }
}

/// What reads, compiles and runs models. `ov_core_compile_model_props` came with OpenVINO 2026.
struct OpenVINOModelFunctions {
    let read: ov_core_read_model_t
    let readMemory: ov_core_read_model_from_memory_buffer_t
    let compile: ov_core_compile_model_props_t
    let freeModel: ov_model_free_t
    let reshape: ov_model_reshape_t
    let inputCount: ov_compiled_model_inputs_size_t
    let input: ov_compiled_model_input_by_index_t
    let outputCount: ov_compiled_model_outputs_size_t
    let output: ov_compiled_model_output_by_index_t
    let compiledProperty: ov_compiled_model_get_property_t
    let createRequest: ov_compiled_model_create_infer_request_t
    let freeCompiled: ov_compiled_model_free_t
    let portName: ov_port_get_any_name_t
    let portShape: ov_port_get_partial_shape_t
    let portType: ov_port_get_element_type_t
    let freePort: ov_output_const_port_free_t
    let freePartialShape: ov_partial_shape_free_t
    let freeShape: ov_shape_free_t
    let tensorOverMemory: ov_tensor_create_from_host_ptr_t
    let tensorShape: ov_tensor_get_shape_t
    let tensorType: ov_tensor_get_element_type_t
    let tensorByteCount: ov_tensor_get_byte_size_t
    let tensorData: ov_tensor_data_t
    let freeTensor: ov_tensor_free_t
    let setInput: ov_infer_request_set_input_tensor_by_index_t
    let getOutput: ov_infer_request_get_output_tensor_by_index_t
    let infer: ov_infer_request_infer_t
    let cancel: ov_infer_request_cancel_t
    let freeRequest: ov_infer_request_free_t
    let profile: ov_infer_request_get_profiling_info_t
    let freeProfile: ov_profiling_info_list_free_t

    init(_ symbols: SymbolTable) throws(SymbolTable.Missing) {
        read = try symbols["ov_core_read_model"]
        readMemory = try symbols["ov_core_read_model_from_memory_buffer"]
        compile = try symbols["ov_core_compile_model_props"]
        freeModel = try symbols["ov_model_free"]
        reshape = try symbols["ov_model_reshape"]
        inputCount = try symbols["ov_compiled_model_inputs_size"]
        input = try symbols["ov_compiled_model_input_by_index"]
        outputCount = try symbols["ov_compiled_model_outputs_size"]
        output = try symbols["ov_compiled_model_output_by_index"]
        compiledProperty = try symbols["ov_compiled_model_get_property"]
        createRequest = try symbols["ov_compiled_model_create_infer_request"]
        freeCompiled = try symbols["ov_compiled_model_free"]
        portName = try symbols["ov_port_get_any_name"]
        portShape = try symbols["ov_port_get_partial_shape"]
        portType = try symbols["ov_port_get_element_type"]
        freePort = try symbols["ov_output_const_port_free"]
        freePartialShape = try symbols["ov_partial_shape_free"]
        freeShape = try symbols["ov_shape_free"]
        tensorOverMemory = try symbols["ov_tensor_create_from_host_ptr"]
        tensorShape = try symbols["ov_tensor_get_shape"]
        tensorType = try symbols["ov_tensor_get_element_type"]
        tensorByteCount = try symbols["ov_tensor_get_byte_size"]
        tensorData = try symbols["ov_tensor_data"]
        freeTensor = try symbols["ov_tensor_free"]
        setInput = try symbols["ov_infer_request_set_input_tensor_by_index"]
        getOutput = try symbols["ov_infer_request_get_output_tensor_by_index"]
        infer = try symbols["ov_infer_request_infer"]
        cancel = try symbols["ov_infer_request_cancel"]
        freeRequest = try symbols["ov_infer_request_free"]
        profile = try symbols["ov_infer_request_get_profiling_info"]
        freeProfile = try symbols["ov_profiling_info_list_free"]
    }
}
