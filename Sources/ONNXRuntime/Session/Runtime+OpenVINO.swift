internal import COnnxRuntime
internal import Foundation
internal import Remedies

extension Runtime {
    /// Whether this build of the runtime has the OpenVINO provider.
    package var hasOpenVINO: Bool { providers.contains("OpenVINOExecutionProvider") }

    /// Adds the OpenVINO provider to a session's options, with the reason from the log if it does not load.
    func append(_ options: OpenVINOOptions, to sessionOptions: OpaquePointer, doing: String) throws(ONNXRuntimeError) {
        try requireOpenVINO(doing: doing)
        if options.device != "CPU" { try requireDevice(options.device, doing: doing) }
        let mark = log.mark()
        let entries = options.entries.sorted { $0.key < $1.key }
        do {
            try withCStrings(entries.map(\.key)) { keys throws(API.Failure) in
                try withCStrings(entries.map(\.value)) { values throws(API.Failure) in
                    try api.check(
                        OrtSessionOptionsAppendExecutionProvider(
                            api.table, sessionOptions, "OpenVINO", keys, values, entries.count))
                }
            }
        } catch {
            let lines = log.lines(since: mark, atLeast: LogRecorder.warning)
            throw ONNXRuntimeError(
                .providerUnavailable, doing: doing,
                cause: ([error.message] + lines).joined(separator: "; "),
                remedy: "A library that the provider needs is missing or of another version. \(RuntimeLocation.remedy)",
                log: lines)
        }
    }

    /// Says what is missing if this runtime cannot have the OpenVINO provider.
    package func requireOpenVINO(doing: String) throws(ONNXRuntimeError) {
        guard hasOpenVINO else {
            throw ONNXRuntimeError(
                .providerUnavailable, doing: doing,
                cause:
                    "ONNX Runtime \(version) at \(location.folder) was built without OpenVINO, so it has no OpenVINO "
                    + "devices (its providers: \(providers.joined(separator: ", ")))",
                remedy: RuntimeLocation.remedy)
        }
        let library = location.folder + "/libonnxruntime_providers_openvino.so"
        guard FileManager.default.fileExists(atPath: library) else {
            throw ONNXRuntimeError(
                .providerUnavailable, doing: doing,
                cause: "the runtime folder \(location.folder) lacks libonnxruntime_providers_openvino.so",
                remedy: "The folder is incomplete. \(RuntimeLocation.remedy)")
        }
    }

    /// The device in the provider's own log line, "[OpenVINO-EP] Choosing Device: GPU.1".
    func chosenDevice(since mark: Int) -> String? {
        let phrase = "Choosing Device: "
        for line in log.lines(since: mark, atLeast: LogRecorder.info).reversed() {
            if let range = line.range(of: phrase) {
                return line[range.upperBound...].trimmingCharacters(in: .whitespacesAndNewlines)
            }
        }
        return nil
    }

    package func requireDevice(_ device: String, doing: String) throws(ONNXRuntimeError) {
        let found = try openVINO().devices().map(\.id)
        if found.contains(where: { OpenVINOOptions.isSame($0, device) }) { return }
        var cause = "OpenVINO finds no \(device) on this machine (it finds \(found.joined(separator: ", ")))"
        var remedy: Remedy =
            "Choose one of these, or see that the device's driver is installed and that you may use it."
        if device.hasPrefix("GPU"), !found.contains(where: { $0.hasPrefix("GPU") }) {
            remedy =
                "On Debian and Ubuntu: apt-get install intel-opencl-icd ocl-icd-libopencl1, "
                + "and add yourself to the group render: usermod -aG render $USER"
            if dlopen("libOpenCL.so.1", RTLD_LAZY) == nil {
                cause += ": OpenVINO's GPU plugin needs libOpenCL.so.1, which is not installed"
            } else if !FileManager.default.fileExists(atPath: "/dev/dri") {
                cause += ": there is no /dev/dri, so the kernel shows no GPU here (in a container: --device /dev/dri)"
            }
        }
        throw ONNXRuntimeError(.deviceUnavailable, doing: doing, cause: cause, remedy: remedy)
    }
}

/// Calls `body` with C strings that live as long as the call.
private func withCStrings<Failure: Error>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) throws(Failure) -> Void
) throws(Failure) {
    let copies = strings.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    let pointers = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: max(1, copies.count))
    defer { pointers.deallocate() }
    for (index, copy) in copies.enumerated() { pointers[index] = UnsafePointer(copy) }
    try body(pointers)
}
