// The built program against a broker that is strict where others are lax.
import Support
import Testing

@Suite("amqp and EventterMQ") struct EventterMQCommandTests {
  private final class Stage {
    let world = ProcessWorld()
    let socket: EventterMQSocket

    init(_ broker: EventterMQ = EventterMQ()) throws {
      socket = try EventterMQSocket(broker)
      world.add(socket)
    }

    /// Runs the program to its end.
    func run(_ arguments: [String], input: String? = nil) throws -> (output: String, errors: String, status: Int32?) {
      var arguments = arguments
      arguments.insert(contentsOf: ["-u", "amqp://127.0.0.1:\(socket.port)"], at: 1)
      let run = try ProcessRun(
        "\(Built.directory)/amqp", arguments, environment: [], directory: "/tmp",
        input: input.map { .octets(Array($0.utf8), keepsOpen: false) } ?? .none, output: .kept)
      world.add(run)
      _ = world.wait { run.status != nil && socket.isIdle }
      return (String(decoding: run.output, as: UTF8.self), String(decoding: run.errors, as: UTF8.self), run.status)
    }
  }

  @Test("carries a message there and back", arguments: [("none", nil), ("anonymous", "ANONYMOUS"), ("plain", "PLAIN")])
  func carries(_ sasl: String, _ mechanism: String?) throws {
    let stage = try Stage()
    let entry = ["--sasl", sasl]
    let sent = try stage.run(["send", "/ns/topic", "hello"] + entry)
    #expect(sent == ("", "", 0))
    #expect(stage.socket.broker.mechanism == mechanism)
    #expect(stage.socket.broker.queues["/ns/group"] == [Array("hello".utf8)])
    let received = try stage.run(["receive", "/ns/group", "-c", "1"] + entry)
    #expect(received == ("hello\n", "", 0))
    #expect(stage.socket.broker.consumed == [Array("hello".utf8)])
    #expect(stage.socket.complaints == [])
  }

  @Test("carries lines, in every mode it has", arguments: ["at-most-once", "at-least-once"])
  func lines(_ mode: String) throws {
    let stage = try Stage()
    let text = (0..<5_000).map { "line \($0)\n" }.joined()
    let sent = try stage.run(["send", "/ns/topic", "-l", "--mode", mode], input: text)
    #expect(sent == ("", "", 0))
    #expect(stage.socket.broker.queues["/ns/group"]?.count == 5_000)
    let received = try stage.run(["receive", "/ns/group", "-c", "5000", "--mode", mode])
    #expect(received == (text, "", 0))
    #expect(stage.socket.broker.queues["/ns/group"] == [])
    #expect(stage.socket.complaints == [])
  }

  @Test("hands back what it prefetched") func releases() throws {
    let stage = try Stage()
    let sent = try stage.run(["send", "/ns/topic", "a", "b", "c"])
    #expect(sent.status == 0)
    let received = try stage.run(["receive", "/ns/group", "-c", "2", "--settle", "release"])
    #expect(received.output == "a\nb\n")
    #expect(stage.socket.broker.queues["/ns/group"] == [[0x61], [0x62], [0x63]])
    #expect(stage.socket.complaints == [])
  }

  @Test("ends when drain is ignored and nothing comes") func drains() throws {
    let stage = try Stage()
    _ = try stage.run(["send", "/ns/topic", "a"])
    let received = try stage.run(["receive", "/ns/group", "--drain"])
    #expect(received == ("a\n", "", 0))
    #expect(stage.socket.broker.consumed == [[0x61]])
    #expect(stage.socket.complaints == [])
  }

  @Test("tells why it was refused", arguments: [["send", "/ns/nowhere", "a"], ["receive", "/ns/nowhere", "-c", "1"]])
  func refused(_ arguments: [String]) throws {
    let stage = try Stage()
    let run = try stage.run(arguments)
    #expect(run.errors.contains("no node '/ns/nowhere'"))
    #expect(run.status != 0)
    #expect(stage.socket.complaints == [])
  }
}
