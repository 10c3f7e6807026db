internal import Foundation

/// A host that images may be downloaded from: "example.com", "example.com:8443", "*.example.com" (subdomains) or "*".
package struct AllowedHost: Sendable, Equatable {
    private let name: String
    /// Nil for the scheme's default.
    private let port: Int?

    /// Nil if the text is none of these.
    package init?(_ text: String) {
        let label = /[a-z0-9]([a-z0-9-]*[a-z0-9])?/
        guard let match = text.lowercased().wholeMatch(of: /([^:]+)(?::(\d{1,5}))?/) else { return nil }
        name = String(match.1)
        port = match.2.flatMap { Int($0) }
        if match.2 != nil, !(1...65535).contains(port ?? 0) { return nil }
        let labels = (name.hasPrefix("*.") ? name.dropFirst(2) : name[...]).split(
            separator: ".", omittingEmptySubsequences: false)
        guard name == "*" || labels.allSatisfy({ $0.wholeMatch(of: label) != nil }) else { return nil }
    }

    var text: String { port.map { "\(name):\($0)" } ?? name }

    /// - Parameter schemePort: the port if the URL has none.
    func admits(_ host: String, port: Int?, schemePort: Int) -> Bool {
        guard port ?? schemePort == self.port ?? schemePort else { return false }
        if name == "*" { return true }
        return name.hasPrefix("*.") ? host.hasSuffix(name.dropFirst()) : host == name
    }
}
