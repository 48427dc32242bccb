/// The sample frame as every tool and language prints it.
package import Capture

/// A settled transfer of "hello".
package let sample = octets("0000001f02000000005314c008054343a001004341005377a10568656c6c6f")

package struct Spelling: Sendable, CustomStringConvertible {
  package var name: String
  package var form: InputForm
  package var text: String

  init(_ name: String, _ form: InputForm, _ text: String) { (self.name, self.form, self.text) = (name, form, text) }

  package var description: String { name }
}

private let digits = "0000001f02000000005314c008054343a001004341005377a10568656c6c6f"
private let decimals =
  "0,0,0,31,2,0,0,0,0,83,20,192,8,5,67,67,160,1,0,67,65,0,83,119,161,5,104,101,108,108,111"
private let escapes =
  #"\x00\x00\x00\x1f\x02\x00\x00\x00\x00S\x14\xc0\x08\x05CC\xa0\x01\x00CA\x00Sw\xa1\x05hello"#
private let pairs = stride(from: 0, to: digits.count, by: 2).map { i in
  String(digits.dropFirst(i).prefix(2))
}

private func joined(_ separator: String, _ change: (String) -> String = { $0 }) -> String {
  pairs.map(change).joined(separator: separator)
}

package let spellings: [Spelling] = [
  Spelling(
    "xxd", .xxd,
    """
    00000000: 0000 001f 0200 0000 0053 14c0 0805 4343  .........S....CC
    00000010: a001 0043 4100 5377 a105 6865 6c6c 6f    ...CA.Sw..hello
    """),
  Spelling(
    "xxd -g1 -u", .xxd,
    """
    00000000: 00 00 00 1F 02 00 00 00 00 53 14 C0 08 05 43 43  .........S....CC
    00000010: A0 01 00 43 41 00 53 77 A1 05 68 65 6C 6C 6F     ...CA.Sw..hello
    """),
  Spelling(
    "xxd -c8 -g4", .xxd,
    """
    00000000: 0000001f 02000000  ........
    00000008: 005314c0 08054343  .S....CC
    00000010: a0010043 41005377  ...CA.Sw
    00000018: a1056865 6c6c6f    ..hello
    """),
  Spelling(
    "xxd -p", .hex,
    """
    0000001f02000000005314c008054343a001004341005377a10568656c6c
    6f

    """),
  Spelling(
    "hexdump -C", .hexdumpC,
    """
    00000000  00 00 00 1f 02 00 00 00  00 53 14 c0 08 05 43 43  |.........S....CC|
    00000010  a0 01 00 43 41 00 53 77  a1 05 68 65 6c 6c 6f     |...CA.Sw..hello|
    0000001f
    """),
  Spelling(
    "hexdump", .hexdump,
    """
    0000000 0000 1f00 0002 0000 5300 c014 0508 4343
    0000010 01a0 4300 0041 7753 05a1 6568 6c6c 006f
    000001f
    """),
  Spelling(
    "hexdump -x", .hexdump,
    """
    0000000    0000    1f00    0002    0000    5300    c014    0508    4343
    0000010    01a0    4300    0041    7753    05a1    6568    6c6c    006f
    000001f
    """),
  Spelling(
    "od -x", .hexdump,
    """
    0000000 0000 1f00 0002 0000 5300 c014 0508 4343
    0000020 01a0 4300 0041 7753 05a1 6568 6c6c 006f
    0000037
    """),
  Spelling(
    "od -Ax -tx1", .od,
    """
    000000 00 00 00 1f 02 00 00 00 00 53 14 c0 08 05 43 43
    000010 a0 01 00 43 41 00 53 77 a1 05 68 65 6c 6c 6f
    00001f
    """),
  Spelling(
    "od -Ax -tx1z", .od,
    """
    000000 00 00 00 1f 02 00 00 00 00 53 14 c0 08 05 43 43  >.........S....CC<
    000010 a0 01 00 43 41 00 53 77 a1 05 68 65 6c 6c 6f     >...CA.Sw..hello<
    00001f
    """),
  Spelling(
    "od", .od,
    """
    0000000 000000 017400 000002 000000 051400 140024 002410 041503
    0000020 000640 041400 000101 073523 002641 062550 066154 000157
    0000037
    """),
  Spelling(
    "od -b", .od,
    """
    0000000 000 000 000 037 002 000 000 000 000 123 024 300 010 005 103 103
    0000020 240 001 000 103 101 000 123 167 241 005 150 145 154 154 157
    0000037
    """),
  Spelling(
    "od -tx4", .od,
    """
    0000000 1f000000 00000002 c0145300 43430508
    0000020 430001a0 77530041 656805a1 006f6c6c
    0000037
    """),
  Spelling(
    "od -tx8", .od,
    """
    0000000 000000021f000000 43430508c0145300
    0000020 77530041430001a0 006f6c6c656805a1
    0000037
    """),
  Spelling(
    "od -An -tx1", .hex,
    """
     00 00 00 1f 02 00 00 00 00 53 14 c0 08 05 43 43
     a0 01 00 43 41 00 53 77 a1 05 68 65 6c 6c 6f
    """),
  Spelling(
    "decode --hex", .trace,
    """
    -> \n0000  00 00 00 1f  02 00 00 00    frame size=31 doff=2 type=AMQP ch=0
    0008  00 53 14                    @transfer(0x14)
    000b    c0 08 05                  list8 size=8 count=5
    000e      43                      handle = uint0 0
    000f      43                      delivery-id = uint0 0
    0010      a0 01 00                delivery-tag = vbin8 "\\u0000"
    0013      43                      message-format = uint0 0
    0014      41                      settled = true
    0015  00 53 77                    @amqp-value(0x77)
    0018    a1 05 68 65 6c 6c 6f      str8 "hello"
    """),
  Spelling("hex", .hex, digits),
  Spelling("hex in capitals", .hex, digits.uppercased() + "\n"),
  Spelling("hex with 0x", .hex, "0x" + digits),
  Spelling("hex in groups", .hex, "0000001f 02000000 005314c0 08054343 a0010043 41005377 a1056865 6c6c6f"),
  Spelling("hex wrapped at odd places", .hex, "0000001f0\r\n2000000005314c008054343a00\r\n1004341005377a10568656c6c6f"),
  Spelling(
    "octets of one digit", .hex, "0 0 0 1f 2 0 0 0 0 53 14 c0 8 5 43 43 a0 1 0 43 41 0 53 77 a1 5 68 65 6c 6c 6f"),
  Spelling("bytes.hex(':')", .hex, joined(":")),
  Spelling("quoted hex", .hex, "\"\(digits)\""),
  Spelling("hex in a log", .hex, "Nov 21 08:14:01 host app[4711]: got frame \(digits), 31 bytes"),
  Spelling("hex behind a date", .hex, "2026-11-21 08:14:01.123 [debug] <0.1.2> \(digits)"),
  Spelling("pairs in a log", .hex, "client 10.0.0.5 wrote [\(joined(" "))] to 02:42:ac:11:00:02"),
  Spelling("base64", .base64, "AAAAHwIAAAAAUxTACAVDQ6ABAENBAFN3oQVoZWxsbw=="),
  Spelling("base64 without padding", .base64, "AAAAHwIAAAAAUxTACAVDQ6ABAENBAFN3oQVoZWxsbw"),
  Spelling("base64 wrapped", .base64, "AAAAHwIAAAAAUxTACAVD\nQ6ABAENBAFN3oQVoZWxs\nbw==\n"),
  Spelling("base64 in a log", .base64, "body of 31: AAAAHwIAAAAAUxTACAVDQ6ABAENBAFN3oQVoZWxsbw== (x)"),
  Spelling("0x list", .c, joined(", ") { "0x" + $0 }),
  Spelling("0x list with spaces", .c, joined(" ") { "0x" + $0.uppercased() }),
  Spelling("C array", .c, "unsigned char x[] = {\n  \(joined(", ") { "0x" + $0 })\n};\nunsigned int x_len = 31;\n"),
  Spelling(
    "xxd -i", .c,
    """
      0x00, 0x00, 0x00, 0x1f, 0x02, 0x00, 0x00, 0x00, 0x00, 0x53, 0x14, 0xc0,
      0x08, 0x05, 0x43, 0x43, 0xa0, 0x01, 0x00, 0x43, 0x41, 0x00, 0x53, 0x77,
      0xa1, 0x05, 0x68, 0x65, 0x6c, 0x6c, 0x6f
    """),
  Spelling("escaped", .escaped, escapes),
  Spelling("every octet escaped", .escaped, joined("") { "\\x" + $0 }),
  Spelling("escaped and quoted", .escaped, "payload = \"\(escapes)\"; // 31"),
  Spelling(
    "octal escapes", .escaped,
    #""\000\000\000\037\002\000\000\000\000S\024\300\b\005CC\240\001\0CA\000Sw\241\005hello""#),
  Spelling(
    "JSON text", .escaped,
    #""\u0000\u0000\u0000\u001f\u0002\u0000\u0000\u0000\u0000S\u0014\u00c0\b\u0005CC\u00a0\u0001\u0000CA\u0000Sw\u00a1\u0005hello""#
  ),
  Spelling("Python", .python, "b'\(escapes)'"),
  Spelling("Python in a log", .python, "DEBUG:root:sent b\"\(escapes)\""),
  Spelling("bytearray", .python, "bytearray(b'\(escapes)')"),
  Spelling("Node", .node, "<Buffer \(joined(" "))>"),
  Spelling("Node in a log", .node, "2026-11-21T08:14:01.000Z rhea:raw data <Buffer \(joined(" "))>"),
  Spelling("Buffer as JSON", .node, #"{"type":"Buffer","data":["# + decimals + "]}"),
  Spelling(
    "Buffer as indented JSON", .node,
    "{ \"type\": \"Buffer\", \"data\": [\n"
      + decimals.split(separator: ",").joined(separator: ",\n    ") + "\n] }"),
  Spelling("Go %#v", .go, "[]byte{" + joined(", ") { "0x" + ($0.hasPrefix("0") ? String($0.dropFirst()) : $0) } + "}"),
  Spelling("Go %v", .go, "[" + decimals.split(separator: ",").joined(separator: " ") + "]"),
  Spelling("Go text", .go, "[]byte(\"\(escapes)\")"),
  Spelling(
    "Java", .java,
    "[0, 0, 0, 31, 2, 0, 0, 0, 0, 83, 20, -64, 8, 5, 67, 67, -96, 1, 0, 67, 65, 0, 83, 119, -95, 5, 104, 101, 108, 108, 111]"
  ),
  Spelling(
    "Java source", .java,
    "new byte[] {0, 0, 0, 31, 2, 0, 0, 0, 0, 83, 20, (byte) 192, 8, 5, 67, 67, (byte)160, 1, 0, 67, 65, 0, 83, 119, -95, 5, 104, 101, 108, 108, 111};"
  ),
  Spelling(".NET", .dotnet, joined("-") { $0.uppercased() }),
  Spelling("NSData", .nsdata, "<0000001f 02000000 005314c0 08054343 a0010043 41005377 a1056865 6c6c6f>"),
  Spelling("new NSData", .nsdata, "{length = 31, bytes = 0x\(digits)}"),
  Spelling("Erlang", .erlang, "<<\(decimals)>>"),
  Spelling(
    "Erlang with text", .erlang,
    #"{frame,<<0,0,0,31,2,0,0,0,0,"S",20,192,8,5,"CC",160,1,0,"CA",0,"Sw",161,5,"hello">>}"#),
  Spelling(
    "RabbitMQ log", .erlang,
    """
    2026-11-21 08:14:01.123456+01:00 [error] <0.1234.0> unexpected frame: <<0,0,0,31,2,0,0,0,0,83,20,
    2026-11-21 08:14:01.123456+01:00 [error] <0.1234.0>                     192,8,5,67,67,160,1,0,67,65,
    2026-11-21 08:14:01.123456+01:00 [error] <0.1234.0>                     0,83,119,161,5,"hello">>
    """),
  Spelling("PN_TRACE_RAW", .protonRaw, #"[0x3c4c7580]:   IO:  RAW:"# + "\"\(escapes)\""),
  Spelling("PN_TRACE_RAW with arrows", .protonRaw, #"[0x3c4c7580]:   IO:  RAW: -> "# + "\"\(escapes)\""),
  Spelling("rhea", .rhea, "  rhea:raw [connection-1] SENT: 31 \(digits) +2ms"),
  Spelling("ASCII that looks like hex", .hexdumpC, dumpWithHexText),
]

/// The sample has no such text; this is a dump of its octets whose column says something else.
private let dumpWithHexText = """
  00000000  00 00 00 1f 02 00 00 00  00 53 14 c0 08 05 43 43  |deadbeef 0a0b0c0|
  00000010  a0 01 00 43 41 00 53 77  a1 05 68 65 6c 6c 6f     |ff ff ff ff ff |
  0000001f
  """
