/// Any octets as input of any form: the reader comes to an end, keeps what it promises of its events, and says the same
/// whatever the pieces in which it is fed. The first octet chooses the form, the second the size of the pieces.
import Bytes
import Capture
import Foundation
import Support

// The package manager renames an executable's main; libFuzzer's is called from it.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("FuzzCapture_main")
public func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  if count == 3, let option = arguments?[1], String(cString: option) == "--seeds", let folder = arguments?[2] {
    writeSeeds(String(cString: folder))
    return 0
  }
  var (count, arguments) = (count, arguments)
  return runDriver(&count, &arguments) { start, count in
    fuzz(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  }
}

private func fuzz(_ octets: [UInt8]) {
  if octets.count < 2 { return }
  let forms = InputForm.allCases
  let form = forms[Int(octets[0]) % forms.count]
  let input = Array(octets.dropFirst(2))
  // The helper stops at events that can't be.
  let whole = readCapture(input, as: form)
  let pieces = readCapture(input, as: form, pieces: max(1, Int(octets[1])))
  if whole != pieces { fatalError("\(form): not the same in pieces of \(octets[1])") }
  if whole.failure == nil && !whole.streams.allSatisfy({ $0.ending != nil }) { fatalError("a stream without end") }
}

private func writeSeeds(_ folder: String) {
  var seeds = spellings.map { [0, 16] + Array($0.text.utf8) }
  seeds += spellings.map { spelling in
    [UInt8(InputForm.allCases.firstIndex(of: spelling.form)!), 3] + Array(spelling.text.utf8)
  }
  let segments = [
    TestSegment(.client, .server, "S", 99), TestSegment(.server, .client, "SA", 499, ack: 100),
    TestSegment(.client, .server, "PA", 110, ack: 500, sample),
    TestSegment(.client, .server, "PA", 100, ack: 500, sample),
    TestSegment(.server, .client, "PA", 500, ack: 131, [1, 2, 3]), TestSegment(.client, .server, "FA", 131, ack: 503),
    TestSegment(.server, .client, "R", 503),
  ]
  for link in TestLink.allCases where link != .ipv6 {
    let packets = segments.map { TestPacket(link.frame($0.ip)) }
    seeds.append([0, 50] + CaptureWriter.pcap(packets, link: link))
    seeds.append([0, 70] + CaptureWriter.pcapng(packets, link: link, isLittle: false))
  }
  let six = TestSegment(.client6, .server6, "A", 1, sample)
  seeds.append(
    [0, 9] + CaptureWriter.pcap([TestPacket(six.ipv6(extensions: [(0, [0, 0, 0, 0, 0, 0, 0])]))], link: .raw))
  seeds.append([0, 5] + webSocketHead + [0x82, 0x83, 1, 2, 3, 4, 0x40, 0x4f, 0x52] + [0x89, 0, 0x88, 0])
  for (i, seed) in seeds.enumerated() {
    do {
      try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/seed-\(i + 1)"))
    } catch {
      fatalError("\(error)")
    }
  }
}
