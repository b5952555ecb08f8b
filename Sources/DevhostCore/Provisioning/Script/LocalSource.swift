#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the local path of a COPY names on this machine.
enum LocalSource {
    /// The files and folders that a path names: itself, in the first folder that has it, or what it matches as a
    /// pattern. bash hands on a pattern that stands in quotes; the tool that provision scripts were first written for
    /// expanded it.
    /// - Parameter folders: Where a relative path can begin.
    /// - Returns: Nothing where there is none.
    static func paths(_ path: String, in folders: [String]) -> [String] {
        let candidates = path.hasPrefix("/") ? [path] : folders.map { "\($0)/\(path)" }
        if let found = candidates.first(where: { Files.exists($0.removingTrailingSlashes) }) { return [found] }
        guard path.contains(where: { "*?[".contains($0) }) else { return [] }
        return candidates.lazy.map(expand).first { !$0.isEmpty } ?? []
    }

    private static func expand(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(pattern, 0, nil, &result) == 0, let paths = result.gl_pathv else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { index in paths[index].map { String(cString: $0) } }
    }
}

extension String {
    fileprivate var removingTrailingSlashes: String {
        let kept = reversed().drop { $0 == "/" }.reversed()
        return kept.isEmpty ? "/" : String(kept)
    }
}
