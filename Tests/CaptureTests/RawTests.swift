/// Octets that are taken as they are.
import Bytes
import Capture
import Support
import Testing

@Suite struct RawTests {
  @Test func everythingAsItIs() {
    var reader = CaptureReader(.raw)
    reader.append([0, 1, 0xff].span)
    #expect(reader.nextEvent() == .opened(stream: 0, StreamDescription(startSeen: true)))
    guard case .octets(stream: 0, .unknown, time: nil, let range) = reader.nextEvent() else {
      Issue.record("no octets")
      return
    }
    #expect(reader.withBytes(range) { $0.array } == [0, 1, 0xff])
    #expect(reader.nextEvent() == nil)
    reader.finish()
    #expect(reader.nextEvent() == .closed(stream: 0, .inputEnded, time: nil))
    #expect(reader.nextEvent() == nil)
  }
}
