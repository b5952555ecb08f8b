/// The page at the public address: which VMs there are, as plain HTML without scripts. What stands in it was parsed or
/// is escaped.
struct LandingPage {
    /// One VM on the page.
    struct Entry {
        let record: VMRecord
        let state: DomainState?
    }

    let publish: Configuration.Publish
    let entries: [Entry]

    /// Whether a rule says who may see the page.
    static func isGuarded(_ publish: Configuration.Publish) -> Bool {
        !publish.allow.isEmpty || publish.passwordFile != nil
    }

    /// The VMs that the page shows: where everybody may see it, those that everybody may see.
    private var shown: [Entry] {
        entries.filter { Self.isGuarded(publish) || !($0.record.isPrivate ?? publish.isPrivate) }
    }

    var html: String {
        let items = shown.map(item).joined()
        let title = "VMs of \(publish.address)"
        return """
            <!doctype html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title>
            <style>
            body{font:1em/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222;background:#fff}
            ul{list-style:none;padding:0}
            li{border:1px solid #ccc;border-radius:.5em;padding:.7em 1em;margin:.7em 0}
            h2{font-size:1.2em;margin:0}p{margin:.2em 0}a{display:inline-block;padding:.2em .6em .2em 0}
            .on{color:#060}.off{color:#900}
            @media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8bf}.on{color:#7c7}.off{color:#f88}}
            </style>
            </head>
            <body>
            <h1>\(title)</h1>
            \(shown.isEmpty ? "<p>There is none yet.</p>" : "<ul>\n\(items)</ul>")
            </body>
            </html>

            """
    }

    private func item(_ entry: Entry) -> String {
        let record = entry.record
        let links =
            [(record.name.description, publish.host(record.name))]
            + record.aliases.map { ($0.description, publish.host($0, record.name)) }
        let addresses = links.map { "<a href=\"https://\($0.1)/\">\($0.0)</a>" }.joined(separator: " ")
        let owner = record.owner.map { " of \(Self.escape($0.printable))" } ?? ""
        let since = record.creationDate.map { " since \($0.description.prefix(10))" } ?? ""
        let isOn = entry.state.map { $0 == .running } ?? (record.isOnline ?? false)
        let state = isOn ? "<span class=\"on\">on</span>" : "<span class=\"off\">off</span>"
        return "<li><h2>\(record.name) \(state)</h2><p>\(addresses)</p><p>\(owner.trimmed)\(since)</p></li>\n"
    }

    private static func escape(_ text: String) -> String {
        text.replacingScalars(["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"])
    }
}
