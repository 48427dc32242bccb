// The words in which a script tells a scripted peer what to do:
//
//     header | header-sasl | header-0-9-1 | header-tls      8 octets
//     mechanisms=A,B  challenge=TEXT  outcome=N              SASL frames
//     open  begin  attach=receiver  attach=sender            our half of them; the client's link has to be named "link"
//     flow=CREDIT  accepted=FIRST-LAST  transfer=ID:TEXT  part=ID:TEXT   (part: `more` is set)
//     attach-replies=ADDRESS  reply=ID:CORRELATION:TEXT      over a link for replies, of the client's link's name and "-replies"
//     detach=CONDITION TEXT  end=CONDITION TEXT  close=CONDITION TEXT    in quotes; or bare: without error
//     text=TEXT  hex=DIGITS                                  octets as they are
//     frame-of=N                                             the head of a frame that says it has N octets
//     await=open|begin|attach|transfer|…  await-text=TEXT  await-tls   until the client has said that
//     hang-up  reset                                         ends the stream
//     then                                                   what follows is for the next connection
import Bytes
import Wire

extension ProcessPeer {
  package static func parts(_ words: [String]) throws -> [[Step]] {
    try words.split(separator: "then", omittingEmptySubsequences: false).map { try steps($0) }
  }

  private static func steps(_ words: ArraySlice<String>) throws -> [Step] {
    try words.map { word in
      let sides = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let step = step(sides[0], sides.count > 1 ? sides[1] : nil) else {
        throw ProcessFault("a peer does not know '\(word)'")
      }
      return step
    }
  }

  private static let performatives: [String: UInt8] = [
    "open": 0x10, "begin": 0x11, "attach": 0x12, "flow": 0x13, "transfer": 0x14, "disposition": 0x15, "detach": 0x16,
    "end": 0x17, "close": 0x18, "sasl-init": 0x41, "sasl-response": 0x43,
  ]

  private static func step(_ word: String, _ argument: String?) -> Step? {
    switch (word, argument) {
    case ("header", nil): return .send(Array("AMQP".utf8) + [0, 1, 0, 0])
    case ("header-sasl", nil): return .send(Array("AMQP".utf8) + [3, 1, 0, 0])
    case ("header-tls", nil): return .send(Array("AMQP".utf8) + [2, 1, 0, 0])
    case ("header-0-9-1", nil): return .send(Array("AMQP".utf8) + [0, 0, 9, 1])
    case ("hang-up", nil): return .close
    case ("reset", nil): return .reset
    case ("text", let text?): return .send(CommandScript.unescaped(text))
    case ("hex", let digits?): return hex(digits).map { .send($0) }
    case ("frame-of", let size?): return UInt32(size).map { .send(bytes($0) + [2, 0, 0, 0]) }
    case ("await", let name?): return performatives[name].map { .await([0x00, 0x53, $0]) }
    case ("await-tls", nil): return .await([0x16, 3, 1])
    case ("await-text", let text?): return .await(CommandScript.unescaped(text))
    case ("mechanisms", let names?):
      let list = names.split(separator: ",").map { Value.symbol(String($0)) }
      return frame(0x40, [.array(ArrayValue(.symbol, list))], type: 1)
    case ("challenge", let text?): return frame(0x42, [.binary(CommandScript.unescaped(text))], type: 1)
    case ("outcome", let code?): return UInt8(code).flatMap { frame(0x44, [.ubyte($0)], type: 1) }
    default: return frame(word, argument)
    }
  }

  private static func frame(_ word: String, _ argument: String?) -> Step? {
    switch (word, argument) {
    case ("open", nil): return frame(0x10, [.string("scripted")])
    case ("begin", nil): return frame(0x11, [.ushort(0), .uint(0), .uint(2_048), .uint(2_048)])
    case ("attach", "receiver"):
      return frame(0x12, [.string("link"), .uint(0), .boolean(true), .null, .null, terminus(0x28), terminus(0x29)])
    case ("attach", "sender"):
      let fields: [Value] = [
        .string("link"), .uint(0), .boolean(false), .null, .null, terminus(0x28), terminus(0x29), .null, .null,
        .uint(0),
      ]
      return frame(0x12, fields)
    case ("attach-replies", let address?):
      let source = Value.described(
        descriptor: .ulong(0x28), value: .list([address.isEmpty ? .null : .string(address)]))
      let fields: [Value] = [
        .string("link-replies"), .uint(1), .boolean(false), .null, .null, source, terminus(0x29), .null, .null,
        .uint(0),
      ]
      return frame(0x12, fields)
    case ("reply", let text?):
      let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3, let id = UInt32(parts[0]) else { return nil }
      var message = ByteQueue()
      let properties: [Value] = [.null, .null, .null, .null, .null, .string(parts[1])]
      message.append(.described(descriptor: .ulong(0x73), value: .list(properties)))
      message.append(.described(descriptor: .ulong(0x75), value: .binary(CommandScript.unescaped(parts[2]))))
      return frame(
        0x14, [.uint(1), .uint(id), .binary(bytes(id)), .uint(0), .boolean(false), .boolean(false)],
        payload: message.bytes)
    case ("flow", let credit?):
      return UInt32(credit).flatMap {
        frame(0x13, [.uint(0), .uint(2_048), .uint(0), .uint(2_048), .uint(0), .uint(0), .uint($0)])
      }
    case ("accepted", let run?):
      let ends = run.split(separator: "-").compactMap { UInt32($0) }
      guard let first = ends.first, let last = ends.last else { return nil }
      let accepted = Value.described(descriptor: .ulong(0x24), value: .list([]))
      return frame(0x15, [.boolean(true), .uint(first), .uint(last), .boolean(true), accepted])
    case ("transfer", let text?), ("part", let text?):
      let sides = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2, let id = UInt32(sides[0]) else { return nil }
      var body = ByteQueue()
      body.append(.described(descriptor: .ulong(0x75), value: .binary(CommandScript.unescaped(String(sides[1])))))
      let more: Value = .boolean(word == "part")
      return frame(
        0x14, [.uint(0), .uint(id), .binary(bytes(id)), .uint(0), .boolean(false), more], payload: body.bytes)
    case ("detach", _): return frame(0x16, [.uint(0), .boolean(true), error(argument)])
    case ("end", _): return frame(0x17, [error(argument)])
    case ("close", _): return frame(0x18, [error(argument)])
    default: return nil
    }
  }

  private static func terminus(_ code: UInt64) -> Value {
    .described(descriptor: .ulong(code), value: .list([.string("orders")]))
  }

  private static func error(_ text: String?) -> Value {
    guard let text else { return .null }
    let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
    let description =
      parts.count > 1 ? Value.string(String(decoding: CommandScript.unescaped(parts[1]), as: UTF8.self)) : .null
    return .described(descriptor: .ulong(0x1d), value: .list([.symbol(parts[0]), description]))
  }

  private static func frame(_ code: UInt64, _ fields: [Value], type: UInt8 = 0, payload: [UInt8] = []) -> Step {
    var content = ByteQueue()
    content.append(.described(descriptor: .ulong(code), value: .list(fields)))
    let octets = content.bytes + payload
    return .send(bytes(UInt32(octets.count + 8)) + [2, type, 0, 0] + octets)
  }

  private static func bytes(_ number: UInt32) -> [UInt8] {
    [UInt8(number >> 24), UInt8(number >> 16 & 0xff), UInt8(number >> 8 & 0xff), UInt8(number & 0xff)]
  }

  private static func hex(_ digits: String) -> [UInt8]? {
    let values = digits.compactMap(\.hexDigitValue)
    guard values.count == digits.count, values.count % 2 == 0 else { return nil }
    return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
  }
}
