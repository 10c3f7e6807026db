internal import CAllocator

/// The memory allocator of the process.
package enum Allocator {
    /// Makes all threads allocate from one arena. Called first of all, as threads keep the arenas that they have.
    ///
    /// Loading, decoding, inference and connections have threads of their own, and glibc would give each an arena, which reuses
    /// nothing that another thread freed and can grow by 64 MB. With one, `apus detect` needs 15 % less memory at its peak and 4 %
    /// less time, much of it page faults; the server needs 7 % less memory or more, and answers as many requests.
    package static func useOneArena() { apus_use_one_arena() }
}
