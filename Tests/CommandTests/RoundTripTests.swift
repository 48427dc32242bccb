// Messages of every type through `send -J` and `receive -J`: what comes out is what went in, and so is what comes of that.
import Bytes
import Render
import Support
import Testing
import Wire

@Suite struct RoundTripTests {
  @Test func everyTypeTwice() throws {
    var script = try CommandScript(
      #"""
      $ amqp receive --listen 0 -c 300 -J >first &r
      $ amqp send -J amqp://localhost:$r orders <messages
      $ wait r
      $ amqp receive --listen 0 -c 300 -J >second &r
      $ amqp send -J amqp://localhost:$r orders <first
      $ wait r
      $ sed -i -E 's/,"delivery":\{"number":[0-9]+,"tag":.*$/}/' first second
      $ cmp messages first
      $ cmp messages second
      $ wc -l first
      > 300 first

      """#)
    var random = RandomValue(seed: 5)
    let lines = (0..<300).map { _ in line(message(&random)) }
    script.files = [("messages", CommandScript.lines(lines.flatMap(\.self)))]
    let transcript = try CommandScriptRun.transcript(of: script, binaries: Built.directory)
    #expect(transcript.commands == script.commands)
  }

  /// As `receive -J` prints it, but for how it was delivered.
  private func line(_ draft: MessageDraft) -> [UInt8] {
    var encoded = ByteQueue()
    draft.encode(into: &encoded)
    var dissector = Dissector()
    var context = MessageContext()
    context.address = "orders"
    var out = ByteQueue()
    encoded.withReadable { octets in
      dissector.message(octets, in: 0..<octets.count)
      MessageJSON.append(dissector, octets, context, style: .lossless, to: &out)
    }
    return out.bytes + [0x0a]
  }

  private func message(_ random: inout RandomValue) -> MessageDraft {
    var draft = MessageDraft()
    if random.below(2) == 0 {
      draft.header = [.boolean(random.below(2) == 0), .ubyte(9), .uint(5_000), .null, .uint(UInt32(random.below(3)))]
    }
    if random.below(2) == 0 { draft.properties = properties(&random) }
    if random.below(2) == 0 { draft.deliveryAnnotations = entries(&random) { .symbol($0) } }
    if random.below(2) == 0 { draft.messageAnnotations = entries(&random) { .symbol($0) } }
    if random.below(2) == 0 { draft.applicationProperties = entries(&random) { .string($0) } }
    if random.below(4) == 0 { draft.footer = entries(&random) { .symbol($0) } }
    switch random.below(6) {
    case 0: draft.body = [.data(Array("text \u{0} é".utf8))]
    case 1: draft.body = [.data([0xff, 0]), .data([])]
    case 2: draft.body = [.sequence([random.value(), random.value()])]
    case 3: draft.body = [.sequence([]), .sequence([random.value()])]
    default: draft.body = [.value(random.value())]
    }
    return draft
  }

  private func properties(_ random: inout RandomValue) -> [Value] {
    let ids: [Value] = [.null, .string("id"), .ulong(.max), .uuid(7), .binary([0, 0xff])]
    return [
      ids[random.below(5)], .binary([0x6d, 0xff]), .string("to"), .string("subject"), .null, ids[random.below(5)],
      .symbol("text/plain"), .null, .timestamp(-1), .timestamp(.max), .string("group"), .uint(.max),
    ]
  }

  private func entries(_ random: inout RandomValue, _ key: (String) -> Value) -> [MapEntry] {
    (0..<random.below(4)).map { MapEntry(key("x-\($0)"), random.value()) }
  }
}
