internal import Engine

extension ElementType {
    /// `ov_element_type_e` of `openvino/c/ov_common.h`.
    private static let openVINOTypes: [ElementType: UInt32] = [
        .bool: 1, .bfloat16: 2, .float16: 3, .float32: 4, .float64: 5, .int32: 9, .int64: 10, .uint8: 16,
    ]

    var openVINOType: UInt32 { ElementType.openVINOTypes[self] ?? 0 }

    /// Nil for a type that Apus doesn't handle.
    init?(openVINOType: UInt32) {
        guard let type = ElementType.openVINOTypes.first(where: { $0.value == openVINOType })?.key else { return nil }
        self = type
    }
}
