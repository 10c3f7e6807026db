internal import Foundation

/// A process that writes to files and is killed if it takes too long.
package struct ChildProcess {
    package enum End {
        case code(Int32)
        case signal(Int32)
    }

    private let id: pid_t

    package init(_ arguments: [String], output: String, errors: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT, 0o600)
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var id: pid_t = 0
        let status = posix_spawn(&id, arguments[0], &actions, nil, &pointers, environ)
        guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: status) ?? .EAGAIN) }
        self.id = id
    }

    /// How it ended; nil if it was killed because it took too long.
    package func wait(_ limit: Duration) -> End? {
        let start = ContinuousClock.now
        var status: Int32 = 0
        while waitpid(id, &status, WNOHANG) == 0 {
            if ContinuousClock.now - start > limit {
                kill(id, SIGKILL)
                // A process that hangs in the kernel, as in a driver, cannot be killed: it is left behind.
                for _ in 0..<100 where waitpid(id, &status, WNOHANG) == 0 { usleep(20_000) }
                return nil
            }
            usleep(20_000)
        }
        let signal = status & 0x7f
        return signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
    }
}
