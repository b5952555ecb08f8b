/// What a browser shows where a VM does not answer.
struct ErrorPage {
    /// The VM's name, or the placeholder that Caddy puts it in for.
    let vm: String

    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(vm) does not answer</title>
        <style>body{font:1.1em/1.5 sans-serif;max-width:36em;margin:3em auto;padding:0 1em}code{background:#eee}</style>
        </head>
        <body>
        <h1>\(vm) does not answer</h1>
        <p>This address leads to the development VM <b>\(vm)</b>, and nothing in it answers right now.</p>
        <ul>
        <li>It may be off: its owner starts it with <code>fc-devhost start \(vm)</code>.</li>
        <li>The service in it may be down or still starting: try again in a minute, or look with <code>fc-devhost login
        \(vm)</code>.</li>
        <li>The service may listen elsewhere: this address leads to https on port 443 of the VM unless
        <code>--alias-port</code> says otherwise.</li>
        </ul>
        </body>
        </html>

        """
    }
}
