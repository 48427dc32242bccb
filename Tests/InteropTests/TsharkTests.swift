// What tshark reads in captures of real traffic we read too: every frame of theirs is one of ours, with the same type,
// channel, size and name, in the same order in each direction. How the captures came about says their README.
import Foundation
import Testing

@Suite(.needs(.tshark)) struct TsharkTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Captures")
  static let captures = [
    "proton-1.0", "proton-rabbitmq4", "rabbitmq3-0-9-1", "rabbitmq4-0-9-1", "rabbitmq4-1.0",
  ]

  @Test(arguments: captures) func framesAreTheSame(_ name: String) throws {
    let path = TsharkTests.folder.appendingPathComponent("\(name).pcapng").path
    let (theirs, ours) = (try tshark(path), try amqp(path))
    #expect(theirs.values.map(\.count).reduce(0, +) > 15)
    #expect(theirs == ours)
  }

  /// `--capture`, on each subcommand that has it; under TLS it holds what was encrypted.
  @Test(.needs(.rabbitMQ4TLS, .certificates), arguments: ["send", "receive", "probe"], ["1.0", "0-9-1"])
  func ourOwnCaptures(_ verb: String, _ dialect: String) throws {
    let queue = try Broker.rabbitMQ4.queue(.durable)
    try queue.publish(["one", "two"])
    let authority = "\(try RealPeer.certificates.value)/ca.pem"
    for (url, more) in [
      (try Broker.rabbitMQ4.url, []), (try RealPeer.rabbitMQ4TLS.value, ["--cacert", authority]),
    ] {
      let path = "/tmp/amqp-interop-\(UUID().uuidString).pcapng"
      defer { unlink(path) }
      let words = ["send": ["hello"], "receive": ["-c", "1"]][verb] ?? []
      let run = try Amqp.run(
        [verb, queue.name, "--protocol", dialect, "--capture", path] + words + more, url: url)
      #expect(run.status == 0, "\(run.errors)")
      let (theirs, ours) = (try tshark(path), try amqp(path))
      #expect(theirs.values.map(\.count).reduce(0, +) > 12, "\(theirs)")
      #expect(theirs == ours)
    }
  }

  /// By the number of the connection and the direction: "type channel size code".
  private func tshark(_ path: String) throws -> [String: [String]] {
    let fields = [
      "tcp.stream", "tcp.srcport", "amqp.type", "amqp.channel", "amqp.length", "amqp.performative", "amqp.sasl.method",
      "amqp.method.class", "amqp.method.method",
    ]
    var arguments = ["-r", path, "-T", "fields"] + fields.flatMap { ["-e", $0] }
    for port in [25_673, 25_683, 25_686, 25_999] { arguments += ["-d", "tcp.port==\(port),amqp"] }
    let run = try Program(try RealPeer.tshark.value, arguments).finish()
    try #require(run.status == 0, "\(run.errors)")
    var frames: [String: [String]] = [:]
    for line in run.text.split(separator: "\n") {
      let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map {
        $0.split(separator: ",").map(String.init)
      }
      guard columns.count == fields.count, let stream = columns[0].first.flatMap(Int.init) else { continue }
      let isFromServer = ["25673", "25683", "25686", "25999"].contains(columns[1].first ?? "")
      var rest = columns
      func next(_ column: Int) -> String { rest[column].isEmpty ? "?" : rest[column].removeFirst() }
      // Frames of these types are in 0-9-1 only.
      let is091 = !columns[7].isEmpty || columns[2].allSatisfy { ["2", "3", "8"].contains($0) }
      for (i, type) in columns[2].enumerated() {
        let code: String
        switch (is091, type) {
        case (true, "1"): code = "\(next(7)).\(next(8))"
        case (true, _): code = "-"
        case (false, "1"): code = next(6)
        default: code = columns[4][i] == "8" ? "-" : next(5)
        }
        frames["\(stream + 1) \(isFromServer ? "S>C" : "C>S")", default: []]
          .append("\(type) \(columns[3][i]) \(columns[4][i]) \(code)")
      }
    }
    return frames
  }

  private func amqp(_ path: String) throws -> [String: [String]] {
    let run = try Amqp.run("decode", "--quiet", "--wire", "-J", path)
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    var frames: [String: [String]] = [:]
    for line in run.lines {
      let object = try JSON(line)
      #expect(object["problems"] == nil, "\(line)")
      guard case .integer(let type)? = object["type"], case .integer(let channel)? = object["channel"],
        case .integer(let size)? = object["size"], case .integer(let stream)? = object["connection"],
        case .string(let direction)? = object["direction"]
      else { continue }
      var code = "-"
      if case .array(let items)? = object["items"], let first = items.first {
        if case .integer(let classID)? = first["class"], case .integer(let method)? = first["method"] {
          code = "\(classID).\(method)"
        } else if object["doff"] != nil, case .array(let parts)? = first["items"],
          case .integer(let value)? = parts.first?["value"]
        {
          code = "\(value)"
        }
      }
      frames["\(stream) \(direction)", default: []].append("\(type) \(channel) \(size) \(code)")
    }
    return frames
  }
}
