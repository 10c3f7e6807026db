internal import Foundation
package import OpenVINO

/// The OpenVINO that tests run with. It needs a process of its own, as ONNX Runtime's provider brings another version:
/// `APUS_TEST_ENGINE=openvino swift test --filter '^OpenVINOTests\.'`.
package enum TestOpenVINO {
    package static let isWanted = ProcessInfo.processInfo.environment["APUS_TEST_ENGINE"] == "openvino"

    package static func engine() throws -> OpenVINOEngine {
        try OpenVINOEngine(
            OpenVINOSearch.find(
                in: ProcessInfo.processInfo.environment["APUS_TEST_OPENVINO"] ?? OpenVINOSearch.setupFolder(),
                origin: "the tests"))
    }
}
