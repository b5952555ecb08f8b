/// What the doctor looks at in what is known of the use of VMs.
struct UseChecks: Sendable {
    let devhost: Devhost
    let survey: DoctorSurvey

    func symptoms() -> [Symptom] {
        let records = survey.records.values.filter { !$0.isIncomplete }.sorted { $0.name < $1.name }
        let uses = records.map { ($0, devhost.use(of: $0, state: nil)) }
        var symptoms = uses.compactMap { record, use in
            use.problem.map {
                Symptom(
                    .note, "VM \(record.name)", "not all signs of its use can be read: \($0)",
                    because: "clean-up keeps it meanwhile, used or not", remedy: "fc-devhost why \(record.name)")
            }
        }
        // Two days: the timers look every hour.
        let limit = devhost.clock.now.addingTimeInterval(-2 * 86400)
        let isOld = records.contains { ($0.creationDate?.date ?? limit) <= limit }
        let last = uses.compactMap { $1.lastLook }.max()
        if isOld, last.map({ $0.date < limit }) ?? true {
            symptoms.append(
                Symptom(
                    .warning, "signs of use", last.map { "nobody has looked since \($0)" } ?? "nobody looks",
                    because: "clean-up leaves VMs alone of whose use it knows nothing, and the devhost fills up",
                    remedy: "see that fc-devhost-collect.timer or cron runs 'fc-devhost collect' every hour"))
        }
        return symptoms
    }
}
