import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a process that works for others takes from nobody: whoever calls fc-devhost through sudo chooses the signals
/// that are ignored, the limits (`setrlimit`), the priority, the umask and the control group that it is started with, and
/// could stop or starve it in the middle of a verb, while it holds the lock of a VM.
package enum ProcessShield {
    /// What the process was started with, for a program that it runs as the caller.
    private struct Inherited: Sendable {
        var limits: [String] = []
        var niceness: Int32 = 0
    }

    private static let inherited = Mutex<Inherited?>(nil)

    /// Raises the shield, where this process is root: before anything else is done, and before there is a second thread.
    /// - Parameter isElevated: Whether somebody else called it through sudo. Root's own limits and priority stay as they
    ///   are.
    package static func raise(isElevated: Bool) {
        guard geteuid() == 0 else { return }
        setSignals()
        umask(0o022)
        guard isElevated else { return }
        var found = Inherited()
        found.niceness = takePriority()
        let isStackSmall = takeLimits(&found.limits)
        inherited.withLock { $0 = found }
        ControlGroups.leaveThoseOfOthers()
        // Threads get the size of stack that the process was started with.
        if isStackSmall { execv("/proc/self/exe", CommandLine.unsafeArgv) }
    }

    /// The words before a program that give it back the limits and the priority of the caller; none where the shield is
    /// not raised.
    static func wordsForCaller() throws -> [String] {
        guard let inherited = inherited.withLock({ $0 }) else { return [] }
        var words: [String] = []
        if inherited.niceness > 0 { words += [try Processes.find("nice"), "-n", "\(inherited.niceness)"] }
        if !inherited.limits.isEmpty {
            words += [try Processes.find("prlimit", package: "util-linux")] + inherited.limits + ["--"]
        }
        return words
    }

    // MARK: Signals

    /// Signals of a terminal that stop a process, and those of limits that end it.
    private static let ignored = [SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ, SIGXCPU, SIGALRM, SIGVTALRM, SIGPROF]
    /// Those that a caller may have ignored for good reason, as nohup does.
    private static let kept = [SIGHUP, SIGINT, SIGQUIT]
    /// Signals that this process ignores and programs that it starts do not.
    static let notInherited = [SIGPIPE, SIGINT, SIGQUIT, SIGXFSZ, SIGXCPU, SIGALRM, SIGVTALRM, SIGPROF]
    /// Those with which a terminal stops a process.
    private static let stopping = [SIGTSTP, SIGTTIN, SIGTTOU]
    private static let ignoresStops = Atomic(false)

    /// The signals with which a terminal stops a process, where they are ignored: a program that has the terminal can be
    /// stopped, and this process with it.
    static var ignoredStops: [Int32] { ignoresStops.load(ordering: .relaxed) ? stopping : [] }

    private static func setSignals() {
        ignoresStops.store(true, ordering: .relaxed)
        // With SIGCHLD ignored, nobody could tell how a program ended.
        for number in Int32(1)...31 where !kept.contains(number) && number != SIGKILL && number != SIGSTOP {
            signal(number, ignored.contains(number) ? SIG_IGN : SIG_DFL)
        }
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
    }

    // MARK: Limits

    private struct Limit: Sendable {
        let option: String
        let resource: Int32
        let wanted: @Sendable (rlimit) -> rlimit
    }

    /// The numbers are those of Linux.
    private static let limits: [Limit] = [
        Limit(option: "cpu", resource: 0, wanted: unlimited), Limit(option: "fsize", resource: 1, wanted: unlimited),
        Limit(option: "data", resource: 2, wanted: unlimited),
        Limit(option: "stack", resource: 3) { raised($0, to: smallestStack) },
        // A core would be written by root into the folder that the caller chose.
        Limit(option: "core", resource: 4) { _ in rlimit(rlim_cur: 0, rlim_max: 0) },
        Limit(option: "rss", resource: 5, wanted: unlimited), Limit(option: "nproc", resource: 6, wanted: unlimited),
        Limit(option: "nofile", resource: 7) { raised($0, to: fewestFiles) },
        Limit(option: "as", resource: 9, wanted: unlimited), Limit(option: "locks", resource: 10, wanted: unlimited),
        Limit(option: "rttime", resource: 15, wanted: unlimited),
    ]

    private static let smallestStack: rlim_t = 8 << 20
    private static let fewestFiles: rlim_t = 4096

    @Sendable private static func unlimited(_: rlimit) -> rlimit { rlimit(rlim_cur: .max, rlim_max: .max) }

    private static func raised(_ limit: rlimit, to least: rlim_t) -> rlimit {
        rlimit(rlim_cur: max(limit.rlim_cur, least), rlim_max: max(limit.rlim_max, least))
    }

    /// - Returns: Whether the stack was too small.
    private static func takeLimits(_ words: inout [String]) -> Bool {
        var isStackSmall = false
        for each in limits {
            let resource = __rlimit_resource_t(UInt32(each.resource))
            var limit = rlimit()
            guard getrlimit(resource, &limit) == 0 else { continue }
            var wanted = each.wanted(limit)
            guard wanted.rlim_cur != limit.rlim_cur || wanted.rlim_max != limit.rlim_max else { continue }
            if setrlimit(resource, &wanted) != 0 {
                // In a container root may not have the right to raise what is allowed.
                wanted = rlimit(rlim_cur: min(wanted.rlim_cur, limit.rlim_max), rlim_max: limit.rlim_max)
                guard wanted.rlim_cur != limit.rlim_cur, setrlimit(resource, &wanted) == 0 else { continue }
            }
            words.append("--\(each.option)=\(text(limit.rlim_cur)):\(text(limit.rlim_max))")
            if each.option == "stack" { isStackSmall = limit.rlim_cur < smallestStack }
        }
        return isStackSmall
    }

    private static func text(_ value: rlim_t) -> String { value == .max ? "unlimited" : "\(value)" }

    // MARK: Priority

    /// Gives the process the priority, the scheduling class, the processors and the place in the queue of the disk that
    /// every process begins with.
    /// - Returns: The niceness that it had.
    private static func takePriority() -> Int32 {
        let process = __priority_which_t(0)
        let niceness = getpriority(process, 0)
        if niceness > 0 { setpriority(process, 0, 0) }
        var parameters = sched_param()
        sched_setscheduler(0, SCHED_OTHER, &parameters)
        // Swift hides these behind a C macro, and the last one has no function of its own.
        typealias SetAffinity = @convention(c) (pid_t, Int, UnsafeRawPointer) -> Int32
        typealias SystemCall = @convention(c) (Int, Int, Int, Int) -> Int
        let all = [UInt8](repeating: 0xff, count: 128)
        if let address = dlsym(nil, "sched_setaffinity") {
            _ = unsafeBitCast(address, to: SetAffinity.self)(0, all.count, all)
        }
        #if arch(x86_64)
            let setDiskPriority = 251
        #else
            let setDiskPriority = 30
        #endif
        if let address = dlsym(nil, "syscall") {
            // Of this process, none of its own: the one that goes with its niceness.
            _ = unsafeBitCast(address, to: SystemCall.self)(setDiskPriority, 1, 0, 0)
        }
        // A process that asked to be ended first where memory runs out.
        if let text = try? Files.readText("/proc/self/oom_score_adj", limit: 16).trimmed, let score = Int(text),
            score > 0,
            let file = try? FileDescriptor.open("/proc/self/oom_score_adj", O_WRONLY)
        {
            try? file.write(Array("0".utf8), path: "/proc/self/oom_score_adj")
        }
        return niceness
    }
}
