internal import Foundation

/// The OpenCL drivers that are registered: the files that the loader reads.
package struct OpenCLRegistration: Sendable, Equatable {
    /// The file or the variable that names it.
    package var file: String
    /// The driver's library, as the file names it.
    package var library: String

    /// Whether it is Intel's driver for GPUs; their OpenCL for CPUs is another.
    var isIntelGPU: Bool { library.contains("igdrcl") }

    /// All in /etc/OpenCL/vendors or in what `OCL_ICD_VENDORS` names, which is a folder, a file or a library (ocl-icd), and
    /// those of `OCL_ICD_FILENAMES`, which are libraries (Khronos' loader).
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
