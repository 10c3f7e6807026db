internal import Foundation

/// A registered OpenCL driver, as the loader reads it.
package struct OpenCLRegistration: Sendable, Equatable {
    /// The file or the variable that registers it.
    package var file: String
    /// The driver's library, as named in the file.
    package var library: String

    /// Whether it is Intel's GPU driver; Intel's OpenCL for CPUs is a different one.
    var isIntelGPU: Bool { library.contains("igdrcl") }

    /// All drivers in /etc/OpenCL/vendors or in `OCL_ICD_VENDORS`, which is a folder, a file or a library (ocl-icd), and those of
    /// `OCL_ICD_FILENAMES`, which are libraries (Khronos' loader).
    package static func all(
        root: SystemRoot = SystemRoot(), environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> (folder: String, registrations: [OpenCLRegistration]) {
        let named = environment["OCL_ICD_VENDORS"] ?? environment["OPENCL_VENDOR_PATH"]
        let folder = named ?? "/etc/OpenCL/vendors"
        let root = named == nil ? root : SystemRoot()
        func read(_ file: String) -> OpenCLRegistration {
            OpenCLRegistration(
                file: file, library: (root.text(file) ?? "").trimmingCharacters(in: .whitespacesAndNewlines))
        }
        let direct = (environment["OCL_ICD_FILENAMES"] ?? "").split(separator: ":").map {
            OpenCLRegistration(file: "OCL_ICD_FILENAMES", library: String($0))
        }
        if folder.hasSuffix(".icd") { return (folder, [read(folder)] + direct) }
        if named != nil, folder.contains(".so") {
            return (folder, [OpenCLRegistration(file: "OCL_ICD_VENDORS", library: folder)] + direct)
        }
        return (folder, root.entries(folder).filter { $0.hasSuffix(".icd") }.map { read("\(folder)/\($0)") } + direct)
    }
}
