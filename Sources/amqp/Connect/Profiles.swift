// Where the configuration file is, and reading it.
import Console
import Transport

enum Profiles {
  /// `$XDG_CONFIG_HOME/amqp/config`, else `~/.config/amqp/config`.
  @Sendable static func read() throws(Failure) -> ProfileFile {
    var folder = Environment.variable("XDG_CONFIG_HOME") ?? ""
    // The XDG specification: a relative path is invalid, and ignored.
    if !folder.hasPrefix("/") { folder = (Environment.variable("HOME") ?? "") + "/.config" }
    let path = folder + "/amqp/config"
    let content: [UInt8]?
    do throws(Errno) {
      content = try Files.exists(path) ? Files.contents(of: path, limit: 1 << 20) : nil
    } catch {
      throw Failure("cannot read the profiles", "\(error)", exitCode: .noInput)
    }
    return try ProfileFile(path: path, content: content, isExposed: content != nil && Files.isForAll(path))
  }
}
