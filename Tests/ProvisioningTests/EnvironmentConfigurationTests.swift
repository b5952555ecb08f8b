import DevhostBase
import Foundation
import Testing

@Suite("environment.cfg")
struct EnvironmentConfigurationTests {
    private let good = """
        [environment]
        service_user = s-dev
        platform = nixos
        update_method = rsync
        require_sudo = True

        [provisioner:default]
        method = fc-nixos-dev-vm
        host = devhost.example.org
        release = https://example.org/release.json
        memory = 4096
        cores = 2
        disk_size = 60G
        update_channel = no

        [provisioner:other]
        method = fc-nixos-dev-vm
        host = localhost
        channel = fc-23.11-production
        release = 2024_001

        [provisioner:latest]
        method = fc-nixos-dev-vm
        host = localhost
        channel = fc-23.11-production

        [provisioner:hydra]
        method = fc-nixos-dev-vm
        host = localhost
        hydra-eval = 123456

        [host:web]
        components = nginx, app
        provision-dynamic-hostname = True
        provision-aliases =
            www
            api admin
        data-color = blue

        [host:plain]
        components = db
        provisioner = other
        service_user = s-db
        [host:third]
        provisioner = hydra
        [host:fourth]
        provisioner = latest
        [host:elsewhere.example.org]
        provisioner = none

        [component:my-app]
        db.password = some words
            and a second line
        Short = x
        """

    @Test("What the file says is read")
    func reads() throws {
        let configuration = try EnvironmentConfiguration(good, folder: "/project/environments/dev")
        #expect(configuration.name == "dev")
        #expect(configuration.sshConfigurationPath == "/project/ssh_config_dev")
        #expect(configuration.serviceUser == "s-dev" && configuration.platform == "nixos")
        #expect(configuration.hosts.map(\.name) == ["web", "plain", "third", "fourth"])
        let web = configuration.hosts[0]
        #expect(web.isDynamic && web.aliases.map(\.description) == ["www", "api", "admin"])
        #expect(web.serviceUser == "s-dev" && configuration.hosts[1].serviceUser == "s-db")
        #expect(web.provisioner.memory?.mebibytes == 4096 && !web.provisioner.updatesChannel)
        #expect(
            configuration.overrides.map { "\($0.variable)=\($0.value)" } == [
                "COMPONENT_MY_APP_DB_PASSWORD=some words\nand a second line", "COMPONENT_MY_APP_SHORT=x",
            ])
        #expect(configuration.warnings.isEmpty, "\(configuration.warnings)")
    }

    @Test("The devhost is asked for what the file says")
    func ensure() throws {
        let configuration = try EnvironmentConfiguration(good, folder: "/project/environments/dev")
        let name = try VMName("ab12cd34")
        let words = configuration.hosts.map { $0.ensureArguments(name, keys: ["KEY"]).joined(separator: "|") }
        #expect(
            words == [
                "ensure|--memory|4096|--cpu|2|--disk-size|60G|--aliases|www api admin|--release|https://example.org/release.json|--no-update-channel|--authorized-key|KEY|ab12cd34",
                "ensure|--aliases||--release|fcrs://fc-23.11-production/2024_001|--update-channel|--authorized-key|KEY|ab12cd34",
                "ensure|--aliases||--hydra-eval|123456|--update-channel|--authorized-key|KEY|ab12cd34",
                "ensure|--aliases||--release|fcrs://fc-23.11-production/|--update-channel|--authorized-key|KEY|ab12cd34",
            ])
    }

    @Test("Unknown keys and sections are warnings with their lines")
    func warnings() throws {
        let configuration = try EnvironmentConfiguration(
            "[environment]\nservice_usr = x\n[host:a]\nalias = x\nprovisioner = none\n[oops]\n", folder: "/e")
        #expect(
            configuration.warnings.map(\.description) == [
                "environment.cfg:2: 'service_usr' means nothing in [environment]",
                "environment.cfg:4: 'alias' means nothing in [host:a]",
                "environment.cfg:6: section [oops] means nothing",
            ])
    }

    @Test("Wrong values are errors, all at once and with their lines")
    func errors() throws {
        let text = """
            [environment]
            service_user = -x y
            [provisioner:default]
            method = vagrant
            host = -oProxyCommand=x
            memory = much
            cores = 0
            disk_size = 1
            update_channel = maybe
            release = nonsense
            [provisioner:empty]
            [host:Web Server]
            provision-aliases = good Bad!
            provisioner = missing
            [provisioner:ok]
            method = fc-nixos-dev-vm
            host = h
            hydra-eval = x
            [host:other]
            """
        let error = try #require(throws: DevhostError.self) {
            _ = try EnvironmentConfiguration(text, folder: "/e")
        }
        #expect(error.code == .invalidConfiguration)
        for line in [2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 18] {
            #expect(error.message.contains("line \(line): "), "line \(line): \(error.message)")
        }
    }

    @Test("A host whose name is no VM's needs a dynamic one")
    func names() throws {
        let provisioner = "[provisioner:default]\nmethod = fc-nixos-dev-vm\nhost = h\nhydra-eval = 1\n"
        #expect(throws: DevhostError.self) {
            _ = try EnvironmentConfiguration(provisioner + "[host:web.example.org]\n", folder: "/e")
        }
        let configuration = try EnvironmentConfiguration(
            provisioner + "[host:web.example.org]\nprovision-dynamic-hostname = true\n", folder: "/e")
        #expect(configuration.hosts.count == 1)
    }

    @Test("A folder without environment.cfg is no environment")
    func missing() {
        #expect { _ = try EnvironmentConfiguration(folder: "/no/such") } throws: {
            ($0 as? DevhostError)?.code == .notFound
        }
    }

    @Test("Names of VMs are kept as batou keeps them, never taken ones, never all digits")
    func dynamicNames() throws {
        let folder = try TemporaryDirectory(prefix: "names")
        let configuration = try EnvironmentConfiguration(good, folder: folder.path)
        let web = configuration.hosts[0]
        var names = try DynamicNames(folder: folder.path)
        #expect(try names.name(of: web) == nil)
        #expect(try names.name(of: configuration.hosts[1])?.description == "plain")
        var generator = FixedNumbers([0x1234_5678, 0xaabb_ccdd, 0x00ab_cdef])
        #expect(try names.assign(web, taken: ["aabbccdd"], using: &generator).description == "00abcdef")
        try names.save()
        #expect(try Files.readText(folder.path + "/hostmap.json").trimmed == #"{"web":"00abcdef"}"#)
        #expect(try DynamicNames(folder: folder.path).name(of: web)?.description == "00abcdef")
        try Files.writeAtomically(folder.path + "/hostmap.json", Array(#"{"web":"../../etc"}"#.utf8), mode: 0o600)
        #expect(throws: DevhostError.self) { _ = try DynamicNames(folder: folder.path).name(of: web) }
        try Files.writeAtomically(folder.path + "/hostmap.json", Array("[".utf8), mode: 0o600)
        #expect { _ = try DynamicNames(folder: folder.path) } throws: { ($0 as? DevhostError)?.code == .damaged }
    }

    private struct FixedNumbers: RandomNumberGenerator {
        private var numbers: [UInt64]
        init(_ numbers: [UInt64]) { self.numbers = numbers }
        mutating func next() -> UInt64 { numbers.isEmpty ? 0 : numbers.removeFirst() }
    }

    @Test("A VM cannot bear its devhost's name, and addresses are without the devhost's user")
    func devhostsName() throws {
        let text = "[provisioner:default]\nmethod = fc-nixos-dev-vm\nhost = me@dev\nchannel = c\n"
        let error = #expect(throws: DevhostError.self) {
            try EnvironmentConfiguration("\(text)[host:dev]\n", folder: "/e")
        }
        #expect("\(String(describing: error))".contains("line 5: 'dev' is the devhost's name too"))
        let configuration = try EnvironmentConfiguration(
            "\(text)[host:dev]\nprovision-dynamic-hostname = True\nprovision-aliases = app\n", folder: "/e")
        #expect(configuration.hosts[0].urls(of: try VMName("web")) == ["https://app.web.dev/"])
    }

    private let provisioner = "[provisioner:default]\nmethod = fc-nixos-dev-vm\nhost = h\nchannel = c\n"

    private func message(_ text: String) -> String {
        do throws(DevhostError) {
            _ = try EnvironmentConfiguration(text, folder: "/e")
            return "taken"
        } catch { return error.message }
    }

    @Test("A heading may have a comment, keys differ by case, and [DEFAULT] holds in every section")
    func asBatouReads() throws {
        let text = """
            [DEFAULT]
            service_user = s-all
            data-x = 1
            [environment] # dev
            platform = nixos
            \(provisioner)[host:web] ; the first
            provisioner =
            provision-aliases:
              www
            Service_User = x
            [component:app]
            service_user = s-own
            Password = one
            password =

              two\u{c}\u{b}\u{85}\u{2028}lines
            """
        let configuration = try EnvironmentConfiguration(text, folder: "/e")
        let web = try #require(configuration.hosts.first)
        #expect(configuration.platform == "nixos" && configuration.serviceUser == "s-all")
        #expect(web.provisioner.name == "default" && web.aliases.map(\.description) == ["www"])
        #expect(web.serviceUser == "s-all")
        #expect(
            configuration.overrides.map { "\($0.attribute)=\($0.value)" } == [
                "service_user=s-own", "Password=one", "password=\n\ntwo\u{c}\u{b}\u{85}\u{2028}lines", "data-x=1",
            ])
        #expect(
            configuration.warnings.map(\.description) == [
                "environment.cfg:14: 'Service_User' means nothing in [host:web]; write service_user",
                "environment.cfg:18: 'password' takes the place of line 17: both are COMPONENT_APP_PASSWORD",
            ])
    }

    @Test("An empty provisioner means the default one, where there is one")
    func emptyProvisioner() throws {
        #expect(try EnvironmentConfiguration("[host:a]\nprovisioner =\n", folder: "/e").hosts.isEmpty)
        #expect(
            try EnvironmentConfiguration("[host:a]\nprovisioner =\n\(provisioner)", folder: "/e").hosts.map(\.name)
                == ["a"])
    }

    @Test("A provisioner of another method is an error only for the hosts that use it")
    func otherMethods() throws {
        let other = "[provisioner:old]\nmethod = fc-nixos-dev-container\nanything = x\n"
        let configuration = try EnvironmentConfiguration("\(provisioner)\(other)[host:a]\n", folder: "/e")
        #expect(configuration.hosts.count == 1)
        #expect(
            configuration.warnings.map(\.description) == [
                "environment.cfg:6: method 'fc-nixos-dev-container' is no more: VMs took the place of containers; "
                    + "write method = fc-nixos-dev-vm, with release =, memory = and cores =; no host here uses it"
            ])
        #expect(message("\(other)[host:a]\nprovisioner = old\n").contains("line 2: method 'fc-nixos-dev-container'"))
        #expect(
            message("[provisioner:default]\nmethod = vagrant\n[host:a]\n")
                .contains("line 2: method 'vagrant' is not fc-nixos-dev-vm"))
    }

    @Test(
        "A name that is no DNS label is told with the nearest that is one",
        arguments: [
            ("[host:Web_01]", "web-01"), ("[host:web.example.org]", "web-example-org"), ("[host:-ä b-]", "b"),
            ("[host:007]", "vm-007"), ("[host:ok]\nprovision-aliases = good My_App", "my-app"),
            ("[host:ok]\nprovision-aliases = \(String(repeating: "a", count: 70))", String(repeating: "a", count: 63)),
        ])
    func nearest(_ host: String, _ label: String) {
        #expect(
            message("\(provisioner)\(host)\n").contains(", for instance \(label)"), "\(message(provisioner + host))")
    }

    @Test("What is wrong with a channel quotes what stands in the file")
    func channels() {
        func message(_ lines: String) -> String {
            self.message("[provisioner:default]\nmethod = fc-nixos-dev-vm\nhost = h\n\(lines)\n[host:a]\n")
        }
        for lines in ["channel = https://x.org/r.json", "channel = https://x.org/r.json\nrelease = 2024_001"] {
            #expect(message(lines).contains("'https://x.org/r.json' is an address, not the name of a channel"))
        }
        for lines in ["channel = a b", "channel = c\nrelease = x y"] {
            #expect(!message(lines).contains("fcrs://") && message(lines).contains("is not"), "\(message(lines))")
        }
        #expect(message("channel = c\nrelease =") == "taken")
    }

    @Test("An update method that batou refuses is a warning", arguments: ["pull", "git-diff", "rsync", "hg-pull", ""])
    func updateMethods(_ method: String) throws {
        let configuration = try EnvironmentConfiguration("[environment]\nupdate_method = \(method)\n", folder: "/e")
        let isKnown = ["rsync", "hg-pull"].contains(method)
        #expect(
            configuration.warnings.map(\.description)
                == (isKnown
                    ? []
                    : [
                        "environment.cfg:2: update_method '\(method)' is none that batou takes; it has rsync, rsync-ext, "
                            + "hg-bundle, hg-pull, git-bundle, git-pull"
                    ]))
    }

    @Test("A file that cannot be read as text says so")
    func unreadable() throws {
        let folder = try TemporaryDirectory(prefix: "environment")
        for (content, words) in [
            ([0x5b, 0x61, 0x5d, 0xff], "is not UTF-8"), (Array("\u{feff}[environment]\n".utf8), "byte order mark"),
            (Array("[environment]\nplatform = \0\n".utf8), "line 2: there is a NUL"),
            ([UInt8](repeating: 0x0a, count: 1 << 21), "larger than 1048576 bytes"),
        ] as [([UInt8], String)] {
            try Files.writeAtomically(folder.path + "/environment.cfg", content, mode: 0o600)
            let error = #expect(throws: DevhostError.self) { _ = try EnvironmentConfiguration(folder: folder.path) }
            #expect(error?.message.contains(words) == true, "\(String(describing: error))")
        }
    }
}
