internal import COnnxRuntime
internal import Engine
internal import Foundation
internal import Remedies

extension Runtime {
    /// Whether this build of the runtime has the OpenVINO provider.
    package var hasOpenVINO: Bool { providers.contains("OpenVINOExecutionProvider") }

    /// Adds the OpenVINO provider to a session's options; if it does not load, the error includes the reason from the log.
    func append(_ options: OpenVINOOptions, to sessionOptions: OpaquePointer, doing: String) throws(EngineError) {
        try requireOpenVINO(doing: doing)
        if options.device != "CPU" { try openVINO(doing: doing).require(options.device, doing: doing) }
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
            throw EngineError(
                .openVINOUnavailable, doing: doing,
                cause: ([error.message] + lines).joined(separator: "; "),
                remedy: "A library of the provider is missing or has the wrong version. \(RuntimeSearch.remedy)",
                log: lines)
        }
    }

    /// Reports what is missing if this runtime cannot use the OpenVINO provider.
    func requireOpenVINO(doing: String) throws(EngineError) {
        guard hasOpenVINO else {
            throw EngineError(
                .openVINOUnavailable, doing: doing,
                cause:
                    "ONNX Runtime \(version) at \(location.folder) was built without OpenVINO, so it has no OpenVINO "
                    + "devices (its providers: \(providers.joined(separator: ", ")))",
                remedy: RuntimeSearch.remedy)
        }
        let library = location.folder + "/libonnxruntime_providers_openvino.so"
        guard FileManager.default.fileExists(atPath: library) else {
            throw EngineError(
                .openVINOUnavailable, doing: doing,
                cause: "the runtime folder \(location.folder) lacks libonnxruntime_providers_openvino.so",
                remedy: "The folder is incomplete. \(RuntimeSearch.remedy)")
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
