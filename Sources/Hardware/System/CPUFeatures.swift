internal import Foundation

/// Processor features that speed up inference.
package struct CPUFeatures: Sendable, Equatable, Encodable {
    package var avx2: Bool
    package var avx512: Bool
    package var bf16: Bool
    package var vnni: Bool
    package var amx: Bool

    /// Read from the flags in /proc/cpuinfo, by the kernel's names.
    package init(root: SystemRoot = SystemRoot()) {
        let line = (root.text("/proc/cpuinfo") ?? "").split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
        let flags = Set(line.split(separator: " ").map(String.init))
        avx2 = flags.contains("avx2")
        avx512 = flags.contains("avx512f") && flags.contains("avx512bw")
        bf16 = flags.contains("avx512_bf16") || flags.contains("amx_bf16")
        vnni = flags.contains("avx512_vnni") || flags.contains("avx_vnni")
        amx = flags.contains("amx_tile")
    }

    /// The names of the available features.
    package var names: [String] {
        [("AVX2", avx2), ("AVX-512", avx512), ("VNNI", vnni), ("BF16", bf16), ("AMX", amx)].filter(\.1).map(\.0)
    }
}

/// The machine's memory, in bytes.
package struct SystemMemory: Sendable, Equatable {
    package var total: UInt64
    package var available: UInt64

    /// Read from /proc/meminfo, in kB.
    package init?(root: SystemRoot = SystemRoot()) {
        var values: [Substring: UInt64] = [:]
        for line in (root.text("/proc/meminfo") ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count >= 2, let value = UInt64(words[1]) { values[words[0].dropLast()] = value * 1024 }
        }
        guard let total = values["MemTotal"], let available = values["MemAvailable"] else { return nil }
        self.total = total
        self.available = available
    }
}
