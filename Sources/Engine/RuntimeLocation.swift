/// A folder that holds an engine's libraries, and how it was found.
package struct RuntimeLocation: Sendable, Equatable {
    /// Absolute path of the engine's own library.
    package var library: String
    /// Absolute path of the folder that holds it and, for OpenVINO, its provider and plugins.
    package var folder: String
    /// How it was found: "the runtime option", "APUS_RUNTIME", "next to the executable" or "installed by setup".
    package var origin: String

    package init(library: String, folder: String, origin: String) {
        self.library = library
        self.folder = folder
        self.origin = origin
    }
}
