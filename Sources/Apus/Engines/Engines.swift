package import Engine
internal import ONNXRuntime
package import Remedies

/// The engines of this build. Nothing else refers to a concrete one.
package enum Engines {
    /// The version of the runtime that this version of Apus is built for and tested with.
    package static var pinnedVersion: String { RuntimeSearch.pinnedVersion }

    /// How to get a runtime.
    package static var remedy: Remedy { RuntimeSearch.remedy }

    /// Where the runtime is.
    ///
    /// - Parameter folder: a folder that holds it; nil searches for one.
    /// - Throws: `runtimeNotFound`.
    package static func locate(in folder: String?) throws(EngineError) -> RuntimeLocation {
        try RuntimeSearch.find(explicit: folder)
    }

    /// Loads the engine, once per process.
    ///
    /// - Parameter folder: a folder that holds its runtime; nil searches for one.
    /// - Throws: `runtimeNotFound` or `runtimeUnusable`.
    package static func load(from folder: String?) throws(EngineError) -> any Engine {
        try Runtime.load(locate(in: folder))
    }
}
