import Bytes
import Testing
import Wire

@testable import Render

@Suite struct FormatTests {
  func render(
    _ format: String, _ draft: MessageDraft, _ context: MessageContext = MessageContext(), escaped: Bool = false
  ) throws -> [UInt8] {
    var q = ByteQueue()
    draft.encode(into: &q)
    var dissector = Dissector()
    var out = ByteQueue()
    let octets = q.bytes
    try Format(format)
      .append(octets.span, in: 0..<octets.count, context, with: &dissector, escaped: escaped, to: &out)
    return out.bytes
  }

  static let message: (MessageDraft, MessageContext) = {
    var d = MessageDraft()
    try! d.set("delivery-count", text: "2")
    try! d.set("ttl", text: "1000")
    try! d.set("subject", text: "a.b")
    try! d.set("message-id", .uuid(1))
    try! d.set("creation-time", text: "0")
    d.messageAnnotations = [
      .init(.symbol("x-exchange"), .string("logs")), .init(.symbol("x-routing-key"), .string("rk")),
      .init(.symbol("x-stream-offset"), .ulong(77)),
    ]
    d.applicationProperties = [
      .init(.string("k"), .string("v")), .init(.string("n"), .int(-5)), .init(.string("z"), .null),
      .init(.string("m"), .map([.init(.string("a"), .boolean(true))])),
    ]
    d.body = [.data(Array("héllo".utf8))]
    var c = MessageContext()
    c.address = "orders"
    c.number = 7
    c.arrival = 1_795_233_906_789
    return (d, c)
  }()

  static let cases: [(String, String)] = [
    ("%s\\n", "héllo\n"), ("%S", "6"), ("%x", "68c3a96c6c6f"), ("%b", "aMOpbGxv"), ("%R", "\0\0\0\u{6}"), ("%%", "%"),
    ("%t %k %e", "orders a.b logs"), ("%h", "k=v,n=-5,z=,m={\"a\":true}"),
    ("[%H{k}] [%H{n}] [%H{no}] [%H{z}]", "[v] [-5] [] []"),
    ("%p{subject}|%p{ttl}|%p{to}|%p{creation-time}", "a.b|1000||0"),
    ("%p{message-id}", "00000000-0000-0000-0000-000000000001"), ("%o %n %d %D", "77 7 2 true"),
    ("%T %I", "1795233906789 2026-11-21T04:05:06.789Z"), ("a\\t\\0\\x41\\\\", "a\t\0A\\"), ("", ""),
    ("[%8s] [%-8s] [%.2s] [%5.1s]", "[   héllo] [héllo   ] [hé] [    h]"),
    ("[%5n] [%-5n] [%05n] [%.3n] [%5.3n]", "[    7] [7    ] [00007] [007] [  007]"),
    ("[%3s]", "[héllo]"), ("é%n", "é7"), ("[%4e%-6t]", "[logsorders]"),
  ]
  @Test(arguments: cases.indices) func directives(_ i: Int) throws {
    let (format, text) = Self.cases[i]
    let out = try render(format, Self.message.0, Self.message.1)
    #expect(String(decoding: out, as: UTF8.self) == text)
  }

  @Test func whatAMessageDoesNotHaveIsEmpty() throws {
    let out = try render("[%s%t%k%e%h%H{a}%p{to}%o%n%T%I]%d%D%S", MessageDraft())
    #expect(String(decoding: out, as: UTF8.self) == "[]0false0")
    var context = MessageContext()
    context.redelivered = true
    #expect(try render("%D", MessageDraft(), context) == Array("true".utf8))
  }

  /// What came over 0-9-1 has no subject, and names of its own.
  @Test func propertiesOfTheOtherDialect() throws {
    var d = MessageDraft()
    for (name, text) in [
      ("type", "order"), ("app-id", "a"), ("expiration", "5"), ("timestamp", "7"), ("delivery-mode", "1"),
    ] {
      try d.set(synonym: name, text: text)
    }
    d.messageAnnotations = [.init(.symbol("x-routing-key"), .string("k"))] + (d.messageAnnotations ?? [])
    let out = try render("%k %p{type} %p{app-id} [%p{cluster-id}] %p{expiration} %p{timestamp} %p{durable}", d)
    #expect(String(decoding: out, as: UTF8.self) == "k order a [] 5 7000 false")
  }

  @Test func bodiesThatAreNoOctets() throws {
    var d = MessageDraft()
    d.body = [.value(.list([.int(1)]))]
    d.applicationProperties = [.init(.string("k"), .string("v"))]
    #expect(try render("%H{k} %s %S %H{k}", d) == Array("v [1] 3 v".utf8))
    d.body = [.data([1, 2]), .data([255])]
    #expect(try render("%x", d) == Array("0102ff".utf8))
    #expect(try render("%s", d) == [1, 2, 255])
    #expect(try render("%s%H{k}", d, escaped: true) == Array(#"\x01\x02\xffv"#.utf8))
  }

  static let refused: [(String, String)] = [
    ("%", "the format ends in the middle of %"), ("%5", "the format ends in the middle of %5"),
    ("%z", "no directive %z: %s"),
    ("%é", "no directive %é"), ("%H", "expected %H{key}"), ("%H{}", "expected %H{key}"), ("%p{x", "expected %p{name}"),
    ("%p{foo}", "no property 'foo' for %p: one of durable, "), ("\\", "the format ends in a backslash"),
    ("\\q", "no escape \\q"), ("\\x4", "\\x needs two"), ("%99999s", "no width or precision over"),
    ("%4R", "%R is four"),
  ]
  @Test(arguments: refused.indices) func refusals(_ i: Int) {
    let fault = #expect(throws: TextFault.self) { try Format(Self.refused[i].0) }
    #expect(fault?.reason.hasPrefix(Self.refused[i].1) == true, "\(fault?.reason ?? "")")
  }

  @Test func aBrokenMessageIsAProblem() throws {
    let octets: [UInt8] = [0x00, 0x53, 0x73, 0xc0, 0x09]
    for format in ["%s", "%k"] {
      var dissector = Dissector()
      var out = ByteQueue()
      let f = try Format(format)
      #expect(throws: Problem.self) {
        try f.append(octets.span, in: 0..<octets.count, MessageContext(), with: &dissector, to: &out)
      }
    }
  }
}
