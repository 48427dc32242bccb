import Bytes
import Testing
import Wire

@testable import Render

@Suite struct BodyTextTests {
  func text(_ octets: [UInt8], escaped: Bool = false) throws(Problem) -> String {
    var q = ByteQueue()
    var dissector = Dissector()
    try BodyText.append(octets.span, in: 0..<octets.count, with: &dissector, escaped: escaped, to: &q)
    return q.text
  }

  func text(_ body: [MessageDraft.BodySection]) throws -> String {
    var d = MessageDraft()
    d.header = [.boolean(true)]
    d.applicationProperties = [.init(.string("k"), .string("v"))]
    d.body = body
    d.footer = [.init(.symbol("f"), .null)]
    var q = ByteQueue()
    d.encode(into: &q)
    return try text(q.bytes)
  }

  @Test func bodies() throws {
    #expect(try text([.data(Array("hello".utf8))]) == "hello")
    #expect(try text([.data([UInt8](repeating: 0x61, count: 300)), .data(Array("b".utf8))]).hasSuffix("aab"))
    #expect(try text([.value(.string("s"))]) == "s")
    #expect(try text([.value(.binary([0x62]))]) == "b")
    #expect(try text([.value(.symbol("s"))]) == "\"s\"")
    #expect(try text([.value(.null)]) == "null")
    #expect(try text([.value(.map([.init(.string("a"), .list([.int(1)]))]))]) == #"{"a":[1]}"#)
    #expect(try text([.sequence([.int(1), .string("x")]), .sequence([])]) == "[1,\"x\"]\n[]")
    #expect(try text([]) == "")
  }

  @Test func descriptorsOfEveryForm() throws {
    let data: [UInt8] = [0xa0, 0x01, 0x61]
    let symbol = Array("amqp:data:binary".utf8)
    for descriptor: [UInt8] in [
      [0x53, 0x75], [0x80, 0, 0, 0, 0, 0, 0, 0, 0x75], [0xa3, UInt8(symbol.count)] + symbol,
      [0xb3, 0, 0, 0, UInt8(symbol.count)] + symbol,
    ] {
      #expect(try text([0x00] + descriptor + data) == "a")
    }
    #expect(try text([0x00, 0x53, 0x75, 0xb0, 0, 0, 0, 1, 0x61]) == "a")
    // Unknown sections are stepped over, whatever describes them.
    #expect(try text([0x00, 0x53, 0x79, 0xa1, 0x01, 0x62, 0x00, 0x53, 0x75] + data) == "a")
    #expect(try text([0x00, 0x00, 0x40, 0x41, 0x00, 0x40, 0x45, 0x00, 0x53, 0x75] + data) == "a")
  }

  static let broken: [([UInt8], Int)] = [
    ([0x01], 0), ([0x00], 1), ([0x00, 0x53, 0x75], 3), ([0x00, 0x53, 0x75, 0xa0], 4),
    ([0x00, 0x53, 0x75, 0xa0, 2, 1], 4),
    ([0x00, 0x53, 0x75, 0xb0, 0, 0], 4), ([0x00, 0x53, 0x75, 0xb0, 0xff, 0xff, 0xff, 0xff, 0], 4),
    ([0x00, 0x53, 0x75, 0x3f], 3), ([0x00, 0x53, 0x77, 0xc1, 0x02, 0x01, 0x40], 5),
    ([0x00, 0x53, 0x75, 0x40, 0x07], 4),
  ]
  @Test(arguments: broken.indices) func brokenMessages(_ i: Int) {
    let fault = #expect(throws: Problem.self) { try text(Self.broken[i].0) }
    #expect(fault?.offset == Self.broken[i].1)
  }

  @Test func theWalkerAgreesWithTheDissector() throws {
    var random = Random(state: 3)
    for _ in 0..<3000 {
      var q = ByteQueue()
      random.draft().encode(into: &q)
      var octets = q.bytes
      var dissector = Dissector()
      dissector.message(octets.span, in: 0..<octets.count)
      let expected = dissector.nodes.filter { $0.place == .section }.map(\.range)
      var sections = Sections(0..<octets.count)
      var found: [Range<Int>] = []
      while let section = try sections.next(octets.span) {
        found.append(section.range)
        #expect(dissector.nodes.contains { $0.offset == section.value && $0.place == .described })
      }
      #expect(found == expected)
      // Damaged octets: no trap, and what the dissector finds well formed the walker does too.
      for _ in 0..<5 {
        octets[random.below(octets.count)] = UInt8(truncatingIfNeeded: random.next())
        dissector.message(octets.span, in: 0..<octets.count)
        let result = Result { try text(octets) }
        if !dissector.isMalformed, case .failure(let error) = result { Issue.record(error) }
        _ = messageJSON(octets)
      }
    }
  }

  @Test func escapedForATerminal() throws {
    let message: [UInt8] = [0x00, 0x53, 0x75, 0xa0, 13] + Array("é\u{1b}[m\n\t\u{7f}\u{85}".utf8) + [0xff, 0xc3, 0x61]
    #expect(try text(message, escaped: true) == #"é\x1b[m"# + "\n\t" + #"\x7f\xc2\x85\xff\xc3a"#)
    #expect(try text([0x00, 0x53, 0x77, 0xa1, 1, 7], escaped: true) == #"\x07"#)
  }
}

@Suite struct DescribedWhereTheTypeIsFixed {
  /// A described value is no binary and no string: the row says which types a field has.
  @Test func isMalformed() {
    for (octets, offset) in [
      ([0x00, 0x53, 0x75, 0x00, 0x53, 0x01, 0xa0, 0x00], 3),
      ([0x00, 0x53, 0x73, 0xc0, 0x06, 0x02, 0x40, 0x00, 0x53, 0x01, 0x40], 7),
    ] as [([UInt8], Int)] {
      var dissector = Dissector()
      dissector.message(octets.span, in: 0..<octets.count)
      #expect(dissector.firstFault?.offset == offset)
      #expect(dissector.firstFault?.got == "a described value")
    }
  }
}
