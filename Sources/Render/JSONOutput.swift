/// A JSON value back to its text, on one line.
package import Bytes

extension ByteQueue {
  package mutating func append(_ json: JSON) {
    switch json {
    case .null: append("null")
    case .boolean(let v): append(v ? "true" : "false")
    case .number(let text): append(utf8: text)
    case .string(let text): append(jsonString: text)
    case .array(let items):
      append(UInt8(ascii: "["))
      for (i, item) in items.enumerated() {
        if i > 0 { append(UInt8(ascii: ",")) }
        append(item)
      }
      append(UInt8(ascii: "]"))
    case .object(let members):
      append(UInt8(ascii: "{"))
      for (i, member) in members.enumerated() {
        if i > 0 { append(UInt8(ascii: ",")) }
        append(jsonString: member.name)
        append(UInt8(ascii: ":"))
        append(member.value)
      }
      append(UInt8(ascii: "}"))
    }
  }
}
