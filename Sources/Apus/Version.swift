/// The version of Apus, as `Apus.version`.
public let version = "0.1.0"
