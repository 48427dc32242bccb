// Expressions about messages: what they mean, and what is said of those that mean nothing.
import Bytes
import Testing
import Wire

@testable import amqp

@Suite struct MatchTests {
  static let message: [UInt8] = {
    var draft = MessageDraft()
    draft.header = [.boolean(true), .ubyte(7)]
    draft.messageAnnotations = [
      MapEntry(.symbol("x-opt"), .string("ann")), MapEntry(.symbol("x-routing-key"), .string("key")),
    ]
    draft.properties = [.ulong(5), .null, .null, .string("orders.new")]
    draft.applicationProperties = [
      MapEntry(.string("tenant"), .int(7)), MapEntry(.string("text"), .string("7")),
      MapEntry(.string("a.b"), .boolean(true)),
      MapEntry(.string("x=y"), .double((1.5).bitPattern)), MapEntry(.string("list"), .list([.int(1), .int(2)])),
      MapEntry(.string("big"), .ulong(.max)), MapEntry(.string("nothing"), .null),
    ]
    draft.body = [
      .data([UInt8](utf8: #"{"user":{"id":7,"na me":"Ada"},"items":[{"n":1},{"n":2.50}],"ok":true,"none":null}"#))
    ]
    var q = ByteQueue()
    draft.encode(into: &q)
    return q.bytes
  }()

  private func holds(_ text: String, _ message: [UInt8] = message) throws -> Bool {
    var reader = FieldReader()
    return try MatchExpression(text).holds(message.span, address: "q", &reader)
  }

  @Test(arguments: [
    "subject=orders.new", "subject~^ord", "subject!=x", "subject!~^x", "subject", "message-id=5", "message-id<6",
    "header.tenant=7", "header.tenant=7.0", "header.tenant>6", "header.tenant<=7", "header.text=7", "header.text>6.5",
    "header.a.b=true", #"header["a.b"]=true"#, #"header["x=y"]=1.5"#, #"header["x=y"]>1"#, "header.list=[1,2]",
    "header.list=[ 1, 2.0 ]", "header.big=18446744073709551615", "header.big>18446744073709551614", "header.none!=1",
    "header.none!~.", "annotation.x-opt=ann", "routing-key=key", "durable=true", "priority=7", "priority>=7",
    "delivery-count=0", "first-acquirer=false", "address=q", "body~\"id\":7", "body.user.id=7", "body.user.id = 7",
    #"body.user["na me"]=Ada"#, #"body["user"].id<8"#, "body.items[0].n=1", "body.items[-1].n=2.5",
    "body.items[*].n=2.5",
    "body.items[*].n>2", "body.ok=true", "body.none=null", #"body.user={"na me":"Ada","id":7.0}"#, "body.user~Ada",
    "body.items", "body!=x",
  ]) func holding(_ text: String) throws {
    #expect(try holds(text), "\(text)")
  }

  @Test(arguments: [
    "subject=orders", "subject=orders.new ", "subject~^new", "subject!=orders.new", "to", "to=x", "to~.", "header.none",
    "header.nothing", "header.text=7.0", "header.tenant=seven", "header.tenant>7", "header.list>1", "header.list=[2,1]",
    "header.big<1", "annotation.none=1", "body.user.id=8", "body.items[2]", "body.items[*].n=3", "body.items.n=1",
    "body.user.id.x", "body=x", "priority<7", "address=r",
  ]) func notHolding(_ text: String) throws { #expect(try !holds(text), "\(text)") }

  /// What isn't there fulfils no comparison, and both negations.
  @Test func absence() throws {
    for text in ["header.none=", "header.none<1", "header.none>1", "header.none~", "header.none"] {
      #expect(try !holds(text), "\(text)")
    }
    for text in ["header.none!=", "header.none!~x", "body.none.x!=1"] { #expect(try holds(text), "\(text)") }
  }

  @Test func bodiesThatAreNoJSON() throws {
    var q = ByteQueue()
    q.appendDataHead(5)
    q.append([0x61, 0, 0xff, 0x62, 0x0a])
    #expect(try holds("body~b", q.bytes), "NUL ends nothing")
    #expect(try holds("body!~c", q.bytes))
    #expect(try !holds("body.x", q.bytes))
    #expect(try holds("priority=4", q.bytes), "no header section means its defaults")
  }

  /// A body of AMQP values is matched as the JSON that it is printed as.
  @Test func bodiesOfValues() throws {
    var q = ByteQueue()
    q.appendSection(Code.amqpValue, .map([MapEntry(.string("k"), .list([.int(1), .symbol("s")]))]))
    #expect(try holds("body.k[1]=s", q.bytes))
    #expect(try holds("body.k[0]<2", q.bytes))
  }

  @Test(arguments: [
    ("", "at character 1 expected the name of a property"), ("=x", "at character 1"),
    ("tenant=7", "no property 'tenant'"),
    ("header=7", "at character 7 expected header.NAME"), ("header.=7", "at character 8 expected a name"),
    ("body..a=1", "at character 6 expected a name"), ("body[=1", "at character 6 expected a number"),
    ("body[x]=1", "at character 6 expected a number"), ("body[\"x=1", "at character 6"),
    ("body.a ? 1", "at character 8"),
    ("body~(", "at character 6, a regular expression"), ("priority>x", "at character 10 expected a number"),
    ("priority>=", "at character 11 expected a number"),
  ]) func faults(_ text: String, _ reason: String) {
    do throws(TextFault) {
      _ = try MatchExpression(text)
      Issue.record("'\(text)' is an expression")
    } catch {
      #expect(error.reason.contains(reason), "\(error.reason)")
    }
  }
}

@Suite struct ExpectDiffTests {
  private func diff(_ a: String, _ b: String) -> [String] { ExpectDiff.body([UInt8](utf8: a), [UInt8](utf8: b)) }

  @Test func sameIsNothing() {
    #expect(diff("a", "a") == [])
    #expect(diff(#"{"a":1,"b":[1,2]}"#, #" {"b":[1.0,2],"a":1e0} "#) == [])
  }

  @Test func shortOnes() {
    #expect(diff(#"{"id":7}"#, #"{"id":8}"#) == ["body", #"- {"id":7}"#, #"+ {"id":8}"#])
    #expect(diff("one", "two") == ["body", "- one", "+ two"])
    // Not JSON on both sides: text.
    #expect(diff(#"{"id":7}"#, "{") == ["body", #"- {"id":7}"#, "+ {"])
  }

  @Test func membersOfLongOnes() {
    let long = String(repeating: "x", count: 70)
    let lines = diff(#"{"l":"\#(long)","a":{"b c":1},"i":[1,2]}"#, #"{"l":"\#(long)","a":{"b c":2},"i":[1],"n":null}"#)
    #expect(lines == [#"body.a["b c"]"#, "- 1", "+ 2", "body.i[1]", "- 2", "body.n", "+ null"])
  }

  @Test func longListsAreCut() {
    let a = "[" + (0..<50).map { "\($0 + 100)" }.joined(separator: ",") + "]"
    let b = "[" + (0..<50).map { "\($0)" }.joined(separator: ",") + "]"
    let lines = diff(a, b)
    #expect(lines.count == 31 && lines.last == "and 40 more")
  }

  @Test func longTextAroundTheDifference() {
    let same = String(repeating: "a", count: 1000)
    let lines = diff(same + "x", same + "y")
    #expect(lines.first == "body")
    #expect(lines[1] == "first different at character 1001; 1001 expected, 1001 came")
    #expect(lines[2].hasPrefix("- …aaa") && lines[2].hasSuffix("ax") && lines[2].count < 60)
  }

  @Test func linesFromTheFirstThatDiffers() {
    #expect(diff("1\n2\n3\n4\n", "1\n2\nx\n4\n") == ["body", "from line 3 on", "- 3", "+ x"])
    let many = (1...100).map { "\($0)" }.joined(separator: "\n")
    #expect(diff(many, "x\ny").count == 1 + 9 + 2)
  }

  @Test func octets() {
    let lines = ExpectDiff.body([1, 2, 3], [1, 0xff, 3, 4])
    #expect(lines == ["body, from octet 0 on; 3 expected, 4 came", "- 01 02 03", "+ 01 ff 03 04"])
  }
}
