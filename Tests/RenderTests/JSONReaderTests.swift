import Testing

@testable import Render

@Suite struct JSONReaderTests {
  @Test func keepsOrderAndNumbers() throws {
    #expect(
      try json(#" {"b":[1, -0, 1.50e+3, 18446744073709551616],"a":{},"":null} "#)
        == .object([
          JSONMember("b", .array([.number("1"), .number("-0"), .number("1.50e+3"), .number("18446744073709551616")])),
          JSONMember("a", .object([])), JSONMember("", .null),
        ]))
  }

  @Test func strings() throws {
    #expect(try json(#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000é""#) == .string("a\"\\/\u{8}\u{c}\n\r\té😀\0é"))
  }

  static let faults: [(String, Int, String)] = [
    ("", 0, "the document ends where a value is due"), ("  ", 2, "the document ends"), ("1 2", 2, "something after"),
    ("01", 1, "a number with a leading zero"), ("1.", 2, "expected a digit"), ("-", 1, "expected a digit"),
    ("1e", 2, "expected a digit"), (".5", 0, "not a JSON value"), ("+1", 0, "not a JSON value"),
    ("nul", 0, "not a JSON"),
    ("NaN", 0, "not a JSON value"), ("[1,]", 3, "not a JSON value"), ("[1", 2, "expected , or ]"),
    ("{\"a\" 1}", 5, "expected :"), ("{a:1}", 1, "expected a member name"), ("{\"a\":1,}", 7, "expected a member name"),
    (#"{"a":1,"a":2}"#, 7, "member \"a\" stands twice"), (#"{"a":1,"\u0061":2}"#, 7, "member \"a\" stands twice"),
    (#""\ud800""#, 1, "half of a surrogate pair"), (#""\udc00x""#, 1, "half of a"),
    (#""\ud800\u0041""#, 1, "half of a"),
    (#""\x""#, 2, "not an escape"), (#""\u12g4""#, 5, "expected four hex"),
    ("\"a", 0, "a string without its closing quote"),
    ("\"a\n\"", 2, "a control character"), (#""\n"# + "\t\"", 3, "a control character"),
    ("\u{feff}1", 0, "not a JSON value"),
  ]
  @Test(arguments: faults.indices) func faultsHaveTheirOffset(_ i: Int) {
    let (text, offset, reason) = Self.faults[i]
    let fault = #expect(throws: JSONFault.self) { try json(text) }
    #expect(fault?.offset == offset, "\(text)")
    #expect(fault?.reason.hasPrefix(reason) == true, "\(text): \(fault?.reason ?? "")")
  }

  @Test func duplicatesAmongMany() {
    let members = (0..<100).map { "\"k\($0)\":1" }.joined(separator: ",")
    #expect(throws: Never.self) { try json("{\(members)}") }
    #expect(throws: JSONFault.self) { try json("{\(members),\"k50\":1}") }
    #expect(throws: JSONFault.self) { try json("{\(members),\"k3\":1}") }
  }

  @Test func depthIsBounded() {
    let fine = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(throws: Never.self) { try json(fine) }
    #expect(throws: JSONFault(offset: 64, reason: "nested deeper than 64")) { try json("[" + fine + "]") }
  }

  @Test func notUTF8() {
    #expect(throws: JSONFault(offset: 1, reason: "not UTF-8")) { try JSONReader.read([0x22, 0xff, 0x22].span) }
  }
}
