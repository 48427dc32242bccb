/// A described list as the specification's rows see it: a code and its fields in order. The bridge between nodes or
/// values and the typed views, for every frame that is not hot.
package import Bytes

package struct Record: Sendable, Equatable {
  package var code: UInt64
  package var fields: [Value]

  package init(_ code: UInt64, _ fields: [Value] = []) { (self.code, self.fields) = (code, fields) }

  /// A field that was left out is null.
  package subscript(_ i: Int) -> Value { i < fields.count ? fields[i] : .null }

  /// A described list whose descriptor we know, numeric or symbolic; nil for anything else.
  package init?(_ value: Value) {
    guard case .described(let descriptor, .list(let fields)) = value else { return nil }
    switch descriptor {
    case .ulong(let code): self.init(code, fields)
    case .symbol(let symbol):
      guard let code = CompositeSpec.row(CompositeSpec.index(symbol: symbol))?.code else { return nil }
      self.init(code, fields)
    default: return nil
    }
  }

  /// Without the nulls at the end: some peers close the connection over them.
  package var value: Value {
    var kept = fields
    while let last = kept.last, last.isNull { kept.removeLast() }
    return .described(descriptor: .ulong(code), value: .list(kept))
  }
}

extension Dissector {
  /// The record whose described node is at `index`.
  package func record(at index: Int, _ b: Span<UInt8>) -> Record? { Record(value(at: index, b)) }
}

extension ByteQueue {
  package mutating func append(_ record: Record) { append(record.value) }
}
