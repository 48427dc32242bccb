import Bytes
import Testing
import Wire

@testable import Render

@Suite struct MessageVariablesTests {
  private func variables(_ draft: MessageDraft, _ context: MessageContext = MessageContext()) -> [String] {
    var q = ByteQueue()
    draft.encode(into: &q)
    let octets = q.bytes
    var dissector = Dissector()
    dissector.message(octets.span, in: 0..<octets.count)
    var out = ByteQueue()
    MessageVariables.append(dissector, octets.span, context, to: &out)
    var parts = out.bytes.split(separator: 0, omittingEmptySubsequences: false)
    #expect(parts.popLast()?.isEmpty == true, "a NUL behind each")
    return parts.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func fieldsAndHeaders() throws {
    let (draft, context) = FormatTests.message
    #expect(
      variables(draft, context) == [
        "AMQP_MSG_ADDRESS=orders", "AMQP_MSG_NUMBER=7", "AMQP_MSG_TTL=1000", "AMQP_MSG_DELIVERY_COUNT=2",
        "AMQP_MSG_EXCHANGE=logs", "AMQP_MSG_ROUTING_KEY=rk",
        "AMQP_MSG_MESSAGE_ID=00000000-0000-0000-0000-000000000001", "AMQP_MSG_SUBJECT=a.b", "AMQP_MSG_CREATION_TIME=0",
        "AMQP_MSG_REDELIVERED=true", "AMQP_MSG_H_K=v", "AMQP_MSG_H_N=-5",
      ])
  }

  @Test func aBareMessage() {
    #expect(variables(MessageDraft()) == ["AMQP_MSG_DELIVERY_COUNT=0", "AMQP_MSG_REDELIVERED=false"])
  }

  /// A message names no setting of ours and no other variable, whatever it is called.
  @Test func namesAreMadeSafe() {
    var draft = MessageDraft()
    draft.applicationProperties = ["url", "a-b", "a.b", "LD_PRELOAD=x", "é", "", "x\ny", "Path"].map {
      MapEntry(.string($0), .string("v" + $0))
    }
    #expect(
      variables(draft).dropFirst(2) == [
        "AMQP_MSG_H_URL=vurl", "AMQP_MSG_H_A_B=va-b", "AMQP_MSG_H_LD_PRELOAD_X=vLD_PRELOAD=x", "AMQP_MSG_H___=vé",
        "AMQP_MSG_H_X_Y=vx\ny", "AMQP_MSG_H_PATH=vPath",
      ])
  }

  @Test func whatNoVariableCanHoldIsLeftOut() {
    var draft = MessageDraft()
    draft.applicationProperties = [
      MapEntry(.string("nul"), .string("a\0b")), MapEntry(.string("list"), .list([.int(1)])),
      MapEntry(.string("null"), .null), MapEntry(.string("true"), .boolean(true)),
      MapEntry(.string("most"), .string(String(repeating: "x", count: MessageVariables.valueLimit))),
      MapEntry(.string("more"), .string(String(repeating: "x", count: MessageVariables.valueLimit + 1))),
    ]
    let found = variables(draft).dropFirst(2).map { $0.prefix { $0 != "=" } }
    #expect(found == ["AMQP_MSG_H_TRUE", "AMQP_MSG_H_MOST"])
  }

  @Test func theyAreBoundedTogether() {
    var draft = MessageDraft()
    draft.applicationProperties = (0..<20).map {
      MapEntry(.string("k\($0)"), .string(String(repeating: "x", count: 30_000)))
    }
    let total = variables(draft).reduce(0) { $0 + $1.utf8.count + 1 }
    #expect(total <= MessageVariables.totalLimit && total > MessageVariables.totalLimit - 31_000)
    draft.applicationProperties = (0..<5_000).map { MapEntry(.string("k\($0)"), .string("")) }
    #expect(variables(draft).count == 1_002)
  }
}
