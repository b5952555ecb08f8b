import DevhostBase

/// How a program ends: the same table for every command of both programs.
package struct ExitStatus: Hashable, Sendable {
    /// The number that the shell sees.
    package let number: Int32

    /// An exit status; one that a command in a VM ended with, for instance.
    package init(_ number: Int32) { self.number = number }

    /// Everything was done.
    package static let success = ExitStatus(0)
    /// Something failed that has no number of its own, or several VMs failed for different reasons.
    package static let failure = ExitStatus(1)
    /// The command line cannot be understood.
    package static let usage = ExitStatus(2)
    /// What doctor found works, and will trouble somebody.
    package static let warnings = ExitStatus(20)
    /// What doctor found does not work.
    package static let errors = ExitStatus(21)
    /// Failures of a command that passes a status through, as with ssh.
    package static let passThroughFailure = ExitStatus(255)

    /// The numbers, in the order in which documents list them, with the kinds of errors that lead to them.
    package static let table: [(status: ExitStatus, codes: [DevhostError.Code], meaning: String)] = [
        (success, [], "everything was done"),
        (failure, [.failed], "a call or a program failed, or several VMs failed for different reasons"),
        (usage, [.invalidArgument], "the command line or a value in it is wrong; nothing was done"),
        (ExitStatus(3), [.notFound], "something that was named does not exist"),
        (
            ExitStatus(4), [.alreadyExists, .conflict],
            "something exists already, or what exists does not fit what is wanted"
        ),
        (ExitStatus(5), [.busy], "another command held the VM for longer than the limit"),
        (ExitStatus(6), [.permissionDenied], "the caller may not do this"),
        (ExitStatus(7), [.unavailable], "libvirt or a server does not answer"),
        (ExitStatus(8), [.timedOut], "a limit of time passed"),
        (ExitStatus(9), [.guestFailed], "the guest crashed or refused a command"),
        (ExitStatus(10), [.refused], "the request or an image was looked at and refused"),
        (ExitStatus(11), [.insufficientSpace], "there is not enough room"),
        (ExitStatus(12), [.unsupported], "this is not possible with what is installed here"),
        (ExitStatus(13), [.damaged], "a file of the devhost cannot be read as what it should be"),
        (ExitStatus(14), [.invalidConfiguration], "devhost.cfg or another file of settings is wrong"),
        (warnings, [], "doctor found nothing worse than a warning, and at least one"),
        (errors, [], "doctor found an error"),
        (
            passThroughFailure, [],
            "a command that runs something in a VM failed before or beside it; otherwise it ends with the status of "
                + "what it ran"
        ),
    ]

    /// The status for an error.
    package init(for error: any Error) {
        switch error {
        case let error as DevhostError:
            self = Self.table.first { $0.codes.contains(error.code) }?.status ?? .failure
        case let failures as SeveralFailures:
            let statuses = Set(failures.failures.map { ExitStatus(for: $0) })
            self = statuses.count == 1 ? statuses.first ?? .failure : .failure
        default:
            self = .failure
        }
    }
}
