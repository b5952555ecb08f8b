/// The program of devhost.cfg that is told of every step of clean-up, to write a mail or a line in a chat. It gets one
/// JSON object on its standard input.
struct CleanupHook: Sendable {
    let settings: Configuration.Cleanup

    /// What it is told.
    struct Event: Sendable, Encodable {
        /// What clean-up does.
        let event: CleanupAction
        /// The VM.
        let name: VMName
        /// Whose it is.
        let owner: String?
        /// When it was last used.
        let lastUse: Timestamp?
        /// When it is put into the trash; with `notice` alone.
        let date: Timestamp?
        /// The same in words.
        let text: String

        private enum CodingKeys: String, CodingKey {
            case event, name, owner, date, text
            case lastUse = "last-use"
        }
    }

    /// Tells the program. One that fails, or takes too long and is ended, costs a warning.
    func tell(_ event: Event, progress: ProgressHandler) async {
        guard let program = settings.hook else { return }
        do {
            var command = Command(program)
            command.input = try JSONCoding.encode(event)
            try await Processes.require(command, limit: settings.hookLimit)
        } catch {
            progress(.warning("[cleanup] hook was not told of \(event.name): \(error)"))
        }
    }
}
