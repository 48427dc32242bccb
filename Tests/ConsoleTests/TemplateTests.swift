// `--template`: fields, braces, and what is refused.
import Testing
import Wire

@testable import amqp

@Suite struct TemplateTests {
  private func expand(_ text: String, number: Int = 7, wall: Int64 = 1_700_000_000_123_000_000) throws -> String {
    let template = try Template(Array(text.utf8)) { $0 == "USER" ? "ann" : nil }
    return String(decoding: template.expand(number: number, wall: wall), as: UTF8.self)
  }

  @Test(arguments: [
    ("", ""), ("plain", "plain"), ("{n}", "7"), ("a{n}b{n}", "a7b7"), ("{time}", "2023-11-14T22:13:20.123Z"),
    ("{env:USER}!", "ann!"), ("{{n}}", "{n}"), (#"{{"id":{n}}}"#, #"{"id":7}"#), ("{{{n}}}", "{7}"), ("}}{{", "}{"),
  ]) func fields(_ text: String, _ expected: String) throws { #expect(try expand(text) == expected) }

  @Test func random() throws {
    let (a, b) = (try expand("{random:24}"), try expand("{random:24}"))
    #expect(a.count == 24 && a != b)
    #expect(a.allSatisfy { $0.isASCII && ($0.isNumber || $0.isLowercase) })
    let uuid = try expand("{uuid}")
    #expect(
      uuid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil, "\(uuid)")
    #expect(try expand("{uuid}") != uuid)
  }

  @Test(arguments: [
    "{", "}", "{n", "a}b", "{x}", "{}", "{N}", "{random}", "{random:0}", "{random:x}", "{env:NONE}", "{env:}",
  ])
  func refused(_ text: String) { #expect(throws: TextFault.self) { try expand(text) } }

  @Test func constants() throws {
    #expect(try Template(Array("a{{b".utf8)).isConstant && !Template(Array("{n}".utf8)).isConstant)
  }
}
