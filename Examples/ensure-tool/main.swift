// Ensures a VM, tells what happens meanwhile, and runs a command in it:
//
//     swift run ensure-tool NAME IMAGE-URL COMMAND...
import DevhostCore
import Foundation

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count >= 3 else {
    print("usage: ensure-tool NAME IMAGE-URL COMMAND...")
    exit(2)
}
do {
    let devhost = Devhost(
        configuration: try Configuration.load(),
        caller: Caller.current(environment: ProcessInfo.processInfo.environment))
    var request = EnsureRequest(name: try VMName(arguments[1]))
    request.release = .image(try ResourceURL(arguments[2]), channel: nil)
    request.memory = try MemorySize("1G")

    let vm = try await devhost.ensure(request) { event in
        switch event {
        case .step(let text), .notice(let text): print("-", text)
        case .warning(let text): print("!", text)
        case .transfer(let what, let done, let total, _):
            print("-", what, done, "of", total.map(String.init) ?? "?", "bytes")
        }
    }
    print(vm.record.name, "is", vm.state?.rawValue ?? "unknown", "at", vm.record.ipv4?.description ?? "no address")

    let login = try await devhost.login(vm.record.name, command: Array(arguments.dropFirst(2)))
    exit(try await login.run())
} catch {
    print("ensure-tool:", error)
    exit(1)
}
