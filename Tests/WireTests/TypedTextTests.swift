import Bytes
import Testing

@testable import Wire

@Suite struct TypedTextTests {
  static let values: [(String, Value)] = [
    ("k=v", .string("v")), ("k=", .string("")), ("k=a=b", .string("a=b")), ("k: v: w", .string("v: w")),
    ("k:string=7", .string("7")), ("k:symbol=x", .symbol("x")), ("k:boolean=true", .boolean(true)),
    ("k:boolean=false", .boolean(false)), ("k:byte=-128", .byte(-128)), ("k:ubyte=255", .ubyte(255)),
    ("k:short=-32768", .short(.min)), ("k:ushort=65535", .ushort(.max)), ("k:int=-5", .int(-5)),
    ("k:uint=4294967295", .uint(.max)), ("k:long=-9223372036854775808", .long(.min)),
    ("k:ulong=18446744073709551615", .ulong(.max)), ("k:float=0.1", .float(Float(0.1).bitPattern)),
    ("k:double=1e300", .double((1e300).bitPattern)), ("k:double=-inf", .double((-Double.infinity).bitPattern)),
    ("k:decimal32=1.10", .decimal32(0x3180_006e)), ("k:decimal64=1.10", .decimal64(0x3180_0000_0000_006e)),
    ("k:decimal128=1", .decimal128(0x3040_0000_0000_0000 << 64 | 1)), ("k:char=é", .char("é")),
    ("k:timestamp=1234", .timestamp(1234)), ("k:timestamp=-1", .timestamp(-1)),
    ("k:timestamp=2026-11-21T04:05:06.789Z", .timestamp(1_795_233_906_789)),
    ("k:uuid=01234567-89ab-CDEF-0123-456789abcdef", .uuid(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)),
    ("k:binary=AAH/", .binary([0, 1, 255])), ("k:null=", .null),
  ]
  @Test(arguments: values.indices) func everyScalar(_ i: Int) throws {
    let (text, value) = Self.values[i]
    let typed = try TypedText(text)
    #expect(typed.name == "k")
    #expect(try typed.scalar() == value)
  }

  @Test func namesWithColons() throws {
    #expect(try TypedText("urn:x:string=1") == TypedText("urn:x:string=1"))
    #expect(try TypedText("urn:x:string=1").name == "urn:x")
    #expect(try TypedText("Authorization: Basic a=b").text == "Basic a=b")
    #expect(try TypedText("url=http://x").name == "url")
  }

  static let refused: [(String, String)] = [
    ("k", "expected NAME=VALUE, got 'k'"), ("=v", "expected NAME=VALUE"), (": v", "expected NAME=VALUE"),
    ("", "expected NAME=VALUE"),
    ("k:number=1", "no type 'number' in 'k:number': one of null, boolean"),
    ("k:ubyte=256", "expected a ubyte (0 to 255), got '256'"),
    ("k:ubyte=-1", "expected a ubyte (0 to 255), got '-1'"),
    ("k:int=1.5", "expected an int (-2147483648 to 2147483647), got '1.5'"),
    ("k:boolean=yes", "expected true or false, got 'yes'"), ("k:char=ab", "expected one character"),
    ("k:char=", "expected one"),
    ("k:uuid=1", "expected a uuid"), ("k:uuid=0123456789abcdef-0123456789abcdef---", "expected a uuid"),
    ("k:binary=?", "expected base64"), ("k:symbol=é", "expected a symbol (ASCII)"), ("k:null=x", "expected nothing"),
    ("k:timestamp=today", "expected a timestamp"), ("k:timestamp=2026-02-29T00:00:00Z", "expected a timestamp"),
    ("k:double=x", "expected a double"), ("k:decimal32=12345678", "expected a decimal32 (7 digits"),
    ("k:decimal64=1e370", "expected a decimal64"),
    ("k:list=[]", "expected a list as JSON"),
  ]
  @Test(arguments: refused.indices) func refusals(_ i: Int) {
    let fault = #expect(throws: TextFault.self) { try TypedText(Self.refused[i].0).scalar() }
    #expect(fault?.reason.hasPrefix(Self.refused[i].1) == true, "\(fault?.reason ?? "")")
  }
}

@Suite struct DecimalTests {
  /// Bits from Intel's decimal library: value, decimal32, decimal64, decimal128 (its high and low half).
  static let known: [(String, UInt32, UInt64)] = [
    ("0", 0x3280_0000, 0x31c0_0000_0000_0000), ("-0", 0xb280_0000, 0xb1c0_0000_0000_0000),
    ("1", 0x3280_0001, 0x31c0_0000_0000_0001), ("1.10", 0x3180_006e, 0x3180_0000_0000_006e),
    ("-7.5", 0xb200_004b, 0xb1a0_0000_0000_004b), ("9999999", 0x6cb8_967f, 0x31c0_0000_0098_967f),
    ("1E+3", 0x3400_0001, 0x3220_0000_0000_0001), ("Infinity", 0x7800_0000, 0x7800_0000_0000_0000),
    ("-Infinity", 0xf800_0000, 0xf800_0000_0000_0000), ("NaN", 0x7c00_0000, 0x7c00_0000_0000_0000),
    ("sNaN", 0x7e00_0000, 0x7e00_0000_0000_0000),
  ]
  @Test(arguments: known.indices) func knownBits(_ i: Int) {
    let (text, d32, d64) = Self.known[i]
    #expect(Decimal(text)?.decimal32 == d32)
    #expect(Decimal(text)?.decimal64 == d64)
    #expect(Decimal(decimal32: d32).text == text)
    #expect(Decimal(decimal64: d64).text == text)
  }

  @Test func texts() {
    for text in [
      "0.000001", "1E-7", "1.2345E-7", "123.45", "1.0E+3", "0.00", "-0.10", "1E+6111", "1E-6176",
      "1.234567890123456789012345678901234E+6144",
      "9999999999999999999999999999999999", "0E+10", "0E-10",
    ] {
      let bits = Decimal(text)?.decimal128
      #expect(bits.map { Decimal(decimal128: $0).text } == text)
    }
    for text in ["", "-", ".", "1.2.3", "1e", "1x", "--1", "e5", "1e99999999", "0x10", "１"] {
      #expect(Decimal(text) == nil, "\(text)")
    }
    #expect(Decimal("1.")?.text == "1")
    #expect(Decimal(".5")?.text == "0.5")
    #expect(Decimal("+5e-1")?.text == "0.5")
  }

  @Test func everyPatternComesBack() {
    var bits: UInt64 = 1
    for _ in 0..<20_000 {
      bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let small = UInt32(truncatingIfNeeded: bits >> 32)
      check(Decimal(decimal32: small), \.decimal32, { Decimal(decimal32: $0) })
      check(Decimal(decimal64: bits), \.decimal64, { Decimal(decimal64: $0) })
      check(Decimal(decimal128: UInt128(bits) << 64 | UInt128(bits)), \.decimal128, { Decimal(decimal128: $0) })
    }
  }

  func check<T>(_ d: Decimal, _ bits: (Decimal) -> T?, _ decimal: (T) -> Decimal) {
    #expect(bits(d).map(decimal) == d)
    #expect(Decimal(d.text) == d, "\(d)")
  }

  @Test func nothingIsRounded() {
    #expect(Decimal("12345678")?.decimal32 == nil)
    #expect(Decimal("1E+91")?.decimal32 == nil)
    #expect(Decimal("1E-102")?.decimal32 == nil)
    #expect(Decimal("1E+90")?.decimal32 != nil)
    #expect(Decimal("10000000000000000")?.decimal64 == nil)
  }
}

@Suite struct DateTextTests {
  static let known: [(String, Int64)] = [
    ("1970-01-01T00:00:00.000Z", 0), ("1969-12-31T23:59:59.999Z", -1), ("2000-02-29T12:00:00.000Z", 951_825_600_000),
    ("2026-11-21T04:05:06.789Z", 1_795_233_906_789), ("0000-01-01T00:00:00.000Z", -62_167_219_200_000),
    ("9999-12-31T23:59:59.999Z", 253_402_300_799_999), ("1900-03-01T00:00:00.000Z", -2_203_891_200_000),
  ]
  @Test(arguments: known.indices) func bothWays(_ i: Int) {
    let (text, ms) = Self.known[i]
    #expect(rfc3339(ms) == text)
    #expect(millisecondsFromRFC3339(Array(text.utf8).span) == ms)
  }

  @Test func everyFewDays() {
    for ms in stride(from: Int64(-62_167_219_200_000), through: 253_402_300_799_999, by: 86_400_000 * 37 + 3_723_004) {
      #expect(millisecondsFromRFC3339(Array(rfc3339(ms).utf8).span) == ms)
    }
  }

  @Test func outsideFourDigits() {
    #expect(rfc3339(253_402_300_800_000) == "+10000-01-01T00:00:00.000Z")
    #expect(rfc3339(-62_167_219_200_001) == "-0001-12-31T23:59:59.999Z")
    #expect(rfc3339(.max).hasPrefix("+292278994-08-17T07:12:55.807Z"))
    #expect(rfc3339(.min).hasPrefix("-292275055-05-16T16:47:04.192Z"))
  }

  @Test func otherSpellings() {
    for (text, ms) in [
      ("1970-01-01T01:00:00+01:00", 0), ("1969-12-31 19:00:00.5-05:00", 500), ("1970-01-01t00:00:00.123456789z", 123),
      ("1970-01-01T00:00:60Z", 60_000),
    ] as [(String, Int64)] { #expect(millisecondsFromRFC3339(Array(text.utf8).span) == ms, "\(text)") }
    for text in [
      "", "1970-01-01", "1970-01-01T00:00:00", "1970-13-01T00:00:00Z", "1970-00-01T00:00:00Z", "1900-02-29T00:00:00Z",
      "1970-01-32T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:61Z",
      "1970-01-01T00:00:00.Z",
      "1970-01-01T00:00:00Zx", "1970-01-01T00:00:00+0100", "1970-01-01T00:00:00+24:00", "197-01-01T00:00:00Z",
    ] { #expect(millisecondsFromRFC3339(Array(text.utf8).span) == nil, "\(text)") }
  }

  func rfc3339(_ ms: Int64) -> String {
    var q = ByteQueue()
    q.append(rfc3339: ms)
    return String(decoding: q.bytes, as: UTF8.self)
  }
}

@Suite struct MessageDraftTests {
  @Test func everyStandardFieldFromText() throws {
    let texts: [(String, String, Value)] = [
      ("durable", "true", .boolean(true)), ("priority", "9", .ubyte(9)), ("ttl", "60000", .uint(60000)),
      ("first-acquirer", "false", .boolean(false)), ("delivery-count", "1", .uint(1)),
      ("message-id", "7", .string("7")),
      ("user-id", "é", .binary([0xc3, 0xa9])), ("to", "q", .string("q")), ("subject", "s", .string("s")),
      ("reply-to", "r", .string("r")), ("correlation-id", "c", .string("c")),
      ("content-type", "text/plain", .symbol("text/plain")),
      ("content-encoding", "gzip", .symbol("gzip")), ("absolute-expiry-time", "1970-01-01T00:00:01Z", .timestamp(1000)),
      ("creation-time", "5", .timestamp(5)), ("group-id", "g", .string("g")), ("group-sequence", "3", .uint(3)),
      ("reply-to-group-id", "rg", .string("rg")),
    ]
    #expect(texts.map(\.0) == MessageDraft.fieldNames)
    var d = MessageDraft()
    for (name, text, value) in texts {
      #expect(d[name] == nil)
      try d.set(name, text: text)
      #expect(d[name] == value)
    }
    // What was written is what the dissector reads, field for field.
    var q = ByteQueue()
    d.encode(into: &q)
    var dissector = Dissector()
    dissector.message(q.bytes.span, in: 0..<q.count)
    #expect(dissector.problems == [])
    #expect(dissector.nodes.filter { $0.place == .field }.count == texts.count)
  }

  @Test func typesAreHeldAgainstTheField() throws {
    var d = MessageDraft()
    for id: Value in [.ulong(1), .uuid(1), .binary([1]), .string("x"), .null] { try d.set("message-id", id) }
    #expect(d["message-id"] == nil)
    #expect(throws: TextFault("message-id: expected string, ulong, uuid, binary, got int")) {
      try d.set("message-id", .int(1))
    }
    #expect(throws: TextFault("to: expected string, got ulong")) { try d.set("to", .ulong(1)) }
    #expect(throws: TextFault("ttl: expected a uint (0 to 4294967295), got '-1'")) { try d.set("ttl", text: "-1") }
    let fault = #expect(throws: TextFault.self) { try d.set("prority", text: "1") }
    #expect(fault?.reason.hasPrefix("no property 'prority': one of durable, priority") == true)
  }

  @Test func nullsAtTheEndAreLeftAway() throws {
    var d = MessageDraft()
    try d.set("priority", text: "4")
    try d.set("delivery-count", text: "1")
    try d.set("delivery-count", .null)
    d.properties = [.null, .null]
    d.body = [.value(.null)]
    var q = ByteQueue()
    d.encode(into: &q)
    #expect(q.bytes == [0, 0x53, 0x70, 0xc0, 4, 2, 0x40, 0x50, 4, 0, 0x53, 0x73, 0x45, 0, 0x53, 0x77, 0x40])
  }

  @Test func sectionsStandInOrderAndPartsMakeTheWhole() {
    var d = MessageDraft()
    d.footer = [.init(.symbol("f"), .null)]
    d.body = [.data([UInt8](repeating: 1, count: 256))]
    d.applicationProperties = []
    d.messageAnnotations = [.init(.symbol("m"), .boolean(true))]
    d.deliveryAnnotations = []
    d.header = []
    var (whole, parts) = (ByteQueue(), ByteQueue())
    d.encode(into: &whole)
    d.encodeHead(into: &parts)
    d.encodeBody(into: &parts)
    d.encodeFooter(into: &parts)
    #expect(whole.bytes == parts.bytes)
    var dissector = Dissector()
    dissector.message(whole.bytes.span, in: 0..<whole.count)
    #expect(dissector.problems == [])
    let codes = dissector.nodes.filter { $0.place == .section }.map { CompositeSpec.row($0.row)?.code }
    #expect(codes == [0x70, 0x71, 0x72, 0x74, 0x75, 0x78])
  }
}
