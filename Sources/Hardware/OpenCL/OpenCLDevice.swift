/// What the OpenCL driver reports about one of its devices. Unreported values are nil or empty.
package struct OpenCLDevice: Sendable, Equatable, Encodable {
    /// CL_DEVICE_NAME.
    package var name: String
    package var vendor: String
    package var platform: String
    /// CL_DEVICE_VERSION, such as "OpenCL 3.0 NEO".
    package var version: String
    /// CL_DRIVER_VERSION.
    package var driverVersion: String
    /// CL_DEVICE_GLOBAL_MEM_SIZE, in bytes.
    package var totalMemory: UInt64?
    /// CL_DEVICE_MAX_COMPUTE_UNITS: execution units on an Intel GPU.
    package var computeUnits: Int?
    /// Slices times sub-slices per slice (cl_intel_device_attribute_query).
    package var subSlices: Int?
    package var executionUnitsPerSubSlice: Int?
    package var threadsPerExecutionUnit: Int?
    package var maxWorkGroupSize: Int?
    package var maxSubGroups: Int?
    package var subGroupSizes: [Int]
    /// cl_khr_fp16.
    package var hasFP16: Bool
    /// cl_khr_fp64.
    package var hasFP64: Bool
    /// cl_khr_int64_base_atomics.
    package var hasAtomics64: Bool
    /// CL_DEVICE_UUID_KHR, in hexadecimal digits.
    package var uuid: String?
    /// Such as "0000:03:00.0".
    package var pciAddress: String?
    /// CL_DEVICE_VENDOR_ID; 0x8086 is Intel.
    package var vendorID: Int
    package var isGPU: Bool

    package var isIntel: Bool { vendorID == 0x8086 }
}
