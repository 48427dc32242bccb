/// The spellings of octets that are understood, as `--input` names them.
package enum InputForm: String, Sendable, CaseIterable {
  case auto
  case pcap, pcapng, raw
  case hex, xxd
  case hexdumpC = "hexdump-C"
  case hexdump, od, tcpdump, tshark, follow
  case base64, c, escaped, python, node, go, java, dotnet, nsdata, erlang
  case protonRaw = "proton-raw"
  case protonFrm = "proton-frm"
  case rhea, trace
  case json

  /// Lines of text that stand for octets.
  package var isText: Bool {
    switch self {
    case .auto, .pcap, .pcapng, .raw: false
    case .hex, .xxd, .hexdumpC, .hexdump, .od, .tcpdump, .tshark, .follow, .base64, .c, .escaped, .python, .node, .go,
      .java, .dotnet, .nsdata, .erlang, .protonRaw, .protonFrm, .rhea, .trace, .json:
      true
    }
  }
}
