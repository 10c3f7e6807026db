internal import COpenVINO
package import Engine
internal import Remedies

/// A layer that a run executed, as the device reports it.
package struct ExecutedLayer: Sendable, Equatable {
    package var name: String
    /// Such as "Convolution".
    package var type: String
    /// The device's name of what executed it, such as "brgconv_avx512_bf16".
    package var implementation: String
    package var microseconds: Int

    package init(name: String, type: String, implementation: String, microseconds: Int) {
        self.name = name
        self.type = type
        self.implementation = implementation
        self.microseconds = microseconds
    }

    /// The precision that it ran in, the last part of `implementation`: "f32", "bf16", "f16", "i8", "i32", …; nil if the device
    /// doesn't state it.
    package var precision: String? {
        let last = implementation.split(separator: "_").last.map { $0.lowercased() } ?? ""
        return last.wholeMatch(of: /(b?f|[iu])\d+/) == nil ? nil : last
    }
}

extension OpenVINOSession {
    /// The layers that the last run executed, in order. Needs `SessionOptions.reportsLayers`.
    ///
    /// - Throws: `runFailed` if nothing ran yet, or if the session doesn't report layers.
    package func layers() throws(EngineError) -> [ExecutedLayer] {
        func failure(_ cause: String) -> EngineError {
            EngineError(.runFailed, doing: "list the executed layers", cause: cause)
        }
        guard let request = idleRequests.withLock({ $0.popLast() }) else {
            throw failure("the model has not run yet")
        }
        defer { idleRequests.withLock { $0.append(request) } }
        var list = ov_profiling_info_list_t()
        do {
            try openVINO.core.library.check(functions.profile(request, &list))
        } catch {
            throw failure(error.message)
        }
        defer { functions.freeProfile(&list) }
        return (0..<list.size).compactMap { index in
            let info = list.profiling_infos[index]
            func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
            // 2 is EXECUTED; others were fused into their neighbors or computed at compile time.
            guard info.status == 2 else { return nil }
            return ExecutedLayer(
                name: text(info.node_name), type: text(info.node_type), implementation: text(info.exec_type),
                microseconds: Int(info.real_time))
        }
    }
}
