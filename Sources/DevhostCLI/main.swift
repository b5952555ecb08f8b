import DevhostCore
import Foundation
var a = Array(CommandLine.arguments.dropFirst())
let d = Devhost(configuration: try Configuration.load(), caller: Caller.current(environment: ProcessInfo.processInfo.environment))
let p: ProgressHandler = { print("..", $0) }
do {
switch a[0] {
case "ensure":
    var r = EnsureRequest(name: try VMName(a[1]))
    r.memory = try MemorySize(a[3]); r.cpus = try CPUCount(a[4]); r.diskSize = try DiskSize(a[5])
    if !a[2].isEmpty { r.release = .image(try ResourceURL(a[2]), channel: try ResourceURL("http://example.com/c")) }
    print(try await d.ensure(r, progress: p))
case "destroy": print(try await d.destroy(try VMName(a[1]), progress: p))
case "shutdown": print(try await d.shutDown(try VMName(a[1]), progress: p))
case "start": print(try await d.start(try VMName(a[1]), progress: p))
case "login": exit(try await d.login(try VMName(a[1]), command: Array(a.dropFirst(2))).run())
case "ls": for x in try await d.listWithStates() { print(x.name, x.state!, x.problem as Any) }
case "logs": print(try d.consoleLog(try VMName(a[1])))
default: break
}
} catch { print("ERROR", error) }
