// Runs real programs: input, output and errors are files or fifos of a directory of its own, so that nothing can block
// on a pipe that is full and no descriptor gets into another test's child.
import Foundation
import Testing

struct Finished {
  /// The exit status, or 128 and the signal.
  let status: Int32
  let output: [UInt8]
  let errors: String

  var text: String { String(decoding: output, as: UTF8.self) }
  var lines: [String] { text.split(separator: "\n").map(String.init) }
}

final class Program {
  enum Input {
    case nothing
    case octets([UInt8])
    /// Held open until `endInput`.
    case fifo

    static func lines(_ lines: some Sequence<some CustomStringConvertible>) -> Input {
      .octets(Array(lines.map { "\($0)\n" }.joined().utf8))
    }
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let name: String
  private let directory: String
  private var pid: pid_t = -1
  private var writer: Int32 = -1
  private var status: Int32?
  /// A program that does not end by itself is killed, and the test fails.
  private let deadline: ContinuousClock.Instant

  var number: pid_t { pid }

  init(
    _ program: String, _ arguments: [String], input: Input = .nothing, environment: [String: String] = [:],
    seconds: Int = 60
  ) throws {
    name = ([program.split(separator: "/").last.map(String.init) ?? program] + arguments.prefix(4))
      .joined(separator: " ")
    deadline = .now + .seconds(seconds)
    var template = Array("/tmp/amqp-interop-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(description: "no temporary directory") }
    directory = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
    var source = "/dev/null"
    switch input {
    case .nothing: break
    case .octets(let octets):
      source = "\(directory)/in"
      try Data(octets).write(to: URL(fileURLWithPath: source))
    case .fifo:
      source = "\(directory)/in"
      mkfifo(source, 0o600)
      // For reading too, or this would wait for the reader; the program opens its own end and sees ours go.
      writer = open(source, O_RDWR | O_CLOEXEC | O_NONBLOCK)
    }
    var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("AMQP_") }
    // Proton's Python would take a mechanism of the system's configuration.
    variables["PYTHONUNBUFFERED"] = "1"
    variables.merge(environment) { $1 }
    try spawn(program, arguments, variables, source)
  }

  deinit {
    if status == nil && pid > 0 {
      kill(pid, SIGKILL)
      kill(pid, SIGCONT)
      waitpid(pid, nil, 0)
    }
    if writer >= 0 { close(writer) }
    try? FileManager.default.removeItem(atPath: directory)
  }

  private func spawn(
    _ program: String, _ arguments: [String], _ variables: [String: String], _ source: String
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, source, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "\(directory)/out", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, "\(directory)/err", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    Program.closeFrom3(&actions)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    let vector = ([program] + arguments).map { strdup($0) } + [nil]
    let block = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in vector + block { free(pointer) } }
    let path = program.contains("/") ? program : Program.inPath(program) ?? program
    let error = posix_spawn(&pid, path, &actions, &attributes, vector, block)
    guard error == 0 else { throw Failure(description: "\(path): \(String(cString: strerror(error)))") }
  }

  /// Not in Swift's Glibc.
  private static func closeFrom3(_ actions: inout posix_spawn_file_actions_t) {
    typealias AddCloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
    let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np")!
    _ = unsafeBitCast(symbol, to: AddCloseFrom.self)(&actions, 3)
  }

  // MARK: While it runs

  /// As far as the program reads; what is left when it has ended is dropped.
  func write(_ text: String) throws {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty && !hasEnded {
      let count = rest.withUnsafeBytes { Foundation.write(writer, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if .now > deadline {
        throw Failure(description: "\(name) does not read: \(errorsSoFar)")
      } else {
        usleep(1_000)
      }
    }
  }

  func endInput() {
    close(writer)
    writer = -1
  }

  func signal(_ number: Int32) { kill(pid, number) }

  var outputSoFar: [UInt8] { read("out") }
  var errorsSoFar: String { String(decoding: read("err"), as: UTF8.self) }

  private func read(_ file: String) -> [UInt8] {
    (try? Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(file)"))).map { Array($0) } ?? []
  }

  /// Looks again and again until `condition` holds, the program has ended or its time is over.
  func until(_ what: String, _ condition: (Program) throws -> Bool) throws {
    while try !condition(self) {
      if hasEnded {
        if try condition(self) { return }
        throw Failure(description: "\(name) ended (\(status ?? -1)) before \(what): \(errorsSoFar)")
      }
      if .now > deadline { throw Failure(description: "\(name): no \(what) in time: \(errorsSoFar)") }
      usleep(1_000)
    }
  }

  /// The rest of the line of standard error, or else of output, that `prefix` begins or stands in.
  func rest(after prefix: String) throws -> String {
    var found: Substring?
    try until("'\(prefix)'") { program in
      for text in [program.errorsSoFar, String(decoding: program.outputSoFar, as: UTF8.self)] {
        if let range = text.range(of: prefix), let end = text[range.upperBound...].firstIndex(of: "\n") {
          found = text[range.upperBound..<end]
          return true
        }
      }
      return false
    }
    return String(found ?? "")
  }

  var hasEnded: Bool {
    if status != nil { return true }
    var raw: Int32 = 0
    guard waitpid(pid, &raw, WNOHANG) == pid else { return false }
    status = raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f)
    return true
  }

  func finish() throws -> Finished {
    while !hasEnded {
      if .now > deadline { throw Failure(description: "\(name) did not end in time: \(errorsSoFar)") }
      usleep(1_000)
    }
    return Finished(status: status ?? -1, output: read("out"), errors: errorsSoFar)
  }

  static func inPath(_ program: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/\(program)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}

// MARK: Ours

enum Amqp {
  /// Built beside the test bundle.
  static let path: String = {
    var directory = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    while directory.path != "/" {
      let path = directory.appendingPathComponent("amqp").path
      var isDirectory: ObjCBool = false
      if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue { return path }
      directory = directory.deletingLastPathComponent()
    }
    return "amqp"
  }()

  static func start(
    _ arguments: String..., url: String? = nil, input: Program.Input = .nothing, seconds: Int = 60
  ) throws -> Program {
    try Program(
      path, arguments, input: input, environment: url.map { ["AMQP_URL": $0] } ?? [:], seconds: seconds)
  }

  static func run(
    _ arguments: [String], url: String? = nil, input: Program.Input = .nothing, seconds: Int = 60
  ) throws -> Finished {
    try Program(
      path, arguments, input: input, environment: url.map { ["AMQP_URL": $0] } ?? [:], seconds: seconds
    ).finish()
  }

  static func run(
    _ arguments: String..., url: String? = nil, input: Program.Input = .nothing, seconds: Int = 60
  ) throws -> Finished {
    try Program(
      path, arguments, input: input, environment: url.map { ["AMQP_URL": $0] } ?? [:], seconds: seconds
    ).finish()
  }

  /// A listening end of ours and the port it chose.
  static func listen(_ arguments: String..., input: Program.Input = .nothing) throws -> (program: Program, port: String)
  {
    let program = try Program(path, arguments.prefix(1) + ["--listen", "0"] + arguments.dropFirst(), input: input)
    let place = try program.rest(after: "listening on ")
    return (program, String(place.split(separator: ":").last ?? ""))
  }
}

/// Octets without a pattern that could hide a lost or doubled piece.
func noise(_ count: Int) -> [UInt8] {
  var state: UInt64 = 1
  let words = (0..<(count + 7) / 8).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state
  }
  return words.withUnsafeBytes { Array($0.prefix(count)) }
}
