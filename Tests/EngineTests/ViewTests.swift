/// Every typed view against its row: each field that a view claims comes back from its own place, and from no other.
import Support
import Testing
import Wire

@Suite struct ViewTests {
  struct View: Sendable, CustomTestStringConvertible {
    var code: UInt64
    /// Fields of the row that the view does not keep.
    var dropped: Set<String> = []
    var roundTrip: @Sendable (Record) -> Record
    var testDescription: String { CompositeSpec.row(CompositeSpec.index(code: code))?.name ?? "?" }
  }

  static let views: [View] = [
    View(code: Code.open, dropped: ["outgoing-locales", "incoming-locales"]) { Open($0).record },
    View(code: Code.begin, dropped: ["offered-capabilities", "desired-capabilities"]) { Begin($0).record },
    View(code: Code.attach) { Attach($0).record }, View(code: Code.flow) { Flow($0).record },
    View(code: Code.transfer) { Transfer($0).record }, View(code: Code.disposition) { Disposition($0).record },
    View(code: Code.detach) { Detach($0).record }, View(code: Code.source) { Source($0).record },
    View(code: Code.target) { Target($0).record }, View(code: Code.coordinator) { Target($0).record },
    View(code: Code.error) { AMQPError($0.value)?.record ?? Record(0) },
    View(code: Code.received) { Record(DeliveryState($0.value)?.value ?? .null) ?? Record(0) },
    View(code: Code.accepted) { Record(DeliveryState($0.value)?.value ?? .null) ?? Record(0) },
    View(code: Code.rejected) { Record(DeliveryState($0.value)?.value ?? .null) ?? Record(0) },
    View(code: Code.released) { Record(DeliveryState($0.value)?.value ?? .null) ?? Record(0) },
    View(code: Code.modified) { Record(DeliveryState($0.value)?.value ?? .null) ?? Record(0) },
    View(code: Code.declared) { Record(DeliveryState($0.value)?.value ?? .null) ?? Record(0) },
    View(code: Code.transactionalState) { Record(DeliveryState($0.value)?.value ?? .null) ?? Record(0) },
  ]

  /// Two values that are nobody's default.
  private func values(_ field: FieldSpec) -> [Value] {
    if field.multiple { return [Value(symbols: ["one"]), Value(symbols: ["one", "two"])] }
    let symbol = Value.map([.init(.symbol("k"), .uint(1))])
    switch field.type {
    case .senderSettleMode: return [.ubyte(0), .ubyte(1)]
    case .receiverSettleMode: return [.ubyte(1)]
    case .error: return [AMQPError("a:b", "c").record.value]
    case .any:
      switch field.requires {
      case .source: return [Source(address: "s").record.value]
      case .target: return [Target(address: "t").record.value]
      case .outcome, .deliveryState: return [DeliveryState.released.value, DeliveryState.accepted.value]
      default: return [.string("an address"), .binary([1, 2])]
      }
    default: break
    }
    switch field.type.primitive {
    case .boolean: return [.boolean(true)]
    case .ubyte: return [.ubyte(1), .ubyte(2)]
    case .ushort: return [.ushort(7), .ushort(65_000)]
    case .uint: return [.uint(7), .uint(.max - 1)]
    case .ulong: return [.ulong(7), .ulong(.max)]
    case .string: return [.string("text"), .string("other")]
    case .symbol: return [.symbol("symbol"), .symbol("other")]
    case .binary: return [.binary([1]), .binary([2, 3])]
    case .map: return [symbol, .map([])]
    case .null, .byte, .short, .int, .long, .float, .double, .decimal32, .decimal64, .decimal128, .char, .timestamp,
      .uuid, .list, .array, .any:
      return []
    }
  }

  @Test(arguments: views) func everyFieldFromItsOwnPlace(_ view: View) throws {
    let row = try #require(CompositeSpec.row(CompositeSpec.index(code: view.code)))
    let fields = try #require(row.fields)
    // What stands in the fields that may not be left out, while another is looked at.
    let base = fields.map { $0.mandatory ? values($0).first ?? .null : .null }
    for (i, field) in fields.enumerated() {
      let candidates = values(field)
      #expect(!candidates.isEmpty, "\(field.name)")
      for value in candidates {
        var filled = base
        filled[i] = value
        let back = view.roundTrip(Record(view.code, filled))
        #expect(back.code == view.code)
        if view.dropped.contains(field.name) {
          #expect(back[i].isNull)
          filled[i] = .null
        }
        for n in fields.indices { #expect(isSame(back[n], filled[n], fields[n]), "\(field.name) → \(fields[n].name)") }
        #expect(back.fields.count <= fields.count)
      }
    }
  }

  /// False and zero may come back as null where that is the default, and the other way round.
  private func isSame(_ a: Value, _ b: Value, _ field: FieldSpec) -> Bool {
    if a == b { return true }
    func isDefault(_ v: Value) -> Bool {
      v.isNull || v == .boolean(false) || v == .uint(0) && field.type == .terminusDurability
    }
    return isDefault(a) && isDefault(b)
  }

  /// The smallest value that each view writes has no null at its end.
  @Test(arguments: views) func noNullAtTheEnd(_ view: View) throws {
    let row = try #require(CompositeSpec.row(CompositeSpec.index(code: view.code)))
    let base = (row.fields ?? []).map { $0.mandatory ? values($0).first ?? .null : .null }
    guard case .described(_, .list(let fields)) = view.roundTrip(Record(view.code, base)).value else {
      Issue.record("no described list")
      return
    }
    #expect(fields.last?.isNull != true)
  }
}
