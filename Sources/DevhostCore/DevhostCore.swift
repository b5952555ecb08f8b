// What the library consists of is in docs/architecture.md. `import DevhostCore` brings every layer.
@_exported import DevhostBase
