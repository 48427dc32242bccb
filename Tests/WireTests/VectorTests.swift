/// The vectors: every frame is dissected with the expected verdict, written anew from its nodes, and cut at every octet.
import Bytes
import Support
import Testing
import Wire

@Suite struct VectorTests {
  @Test func thereAreVectors() {
    #expect(FrameVector.all.count > 300)
  }

  @Test(arguments: FrameVector.all)
  func verdict(_ vector: FrameVector) {
    var dissector = Dissector()
    let result = dissector.frame(vector.bytes.span, at: 0, payload: .message)
    let problem: Problem?
    switch vector.verdict {
    case .ok:
      #expect(result == .frame(end: vector.bytes.count))
      #expect(dissector.problems == [])
      return
    case .incomplete:
      #expect(result == .incomplete)
      #expect(dissector.problems == [])
      problem = Dissector.truncation(vector.bytes.span, at: 0)
    case .warning:
      #expect(result == .frame(end: vector.bytes.count))
      #expect(!dissector.isMalformed)
      problem = dissector.problems.first
    case .malformed:
      #expect(result == .frame(end: vector.bytes.count) || result == .lost)
      problem = dissector.firstFault
    }
    #expect(problem != nil)
    guard let problem else { return }
    if let offset = vector.offset { #expect(problem.offset == offset) }
    #expect(problem.text.contains(vector.text), "says: \(problem.text)")
    #expect(problem.section.hasPrefix("part ") || problem.section == "our limit")
  }

  @Test(arguments: FrameVector.all)
  func reencoding(_ vector: FrameVector) {
    var dissector = Dissector()
    _ = dissector.frame(vector.bytes.span, at: 0, payload: .message)
    #expect(dissector.firstFlaw(octets: vector.bytes.count) == nil)
    switch vector.verdict {
    case .ok, .warning:
      #expect(hexText(dissector.reencoded(vector.bytes.span)) == hexText(vector.bytes))
    case .incomplete, .malformed: break
    }
  }

  /// A value that was made of a section or performative says the same when it is written and read again.
  @Test(arguments: FrameVector.all.filter { $0.verdict == .ok })
  func valuesSurvive(_ vector: FrameVector) throws {
    var dissector = Dissector()
    _ = dissector.frame(vector.bytes.span, at: 0, payload: .message)
    var i = 1
    while i < dissector.nodes.count {
      if dissector.nodes[i].kind == .described {
        let value = dissector.value(at: i, vector.bytes.span)
        var q = ByteQueue()
        q.append(value)
        #expect(q.count <= Int(dissector.nodes[i].length))
        #expect(q.count == value.encodedSize)
        #expect(try decode(q.bytes) == value)
      }
      i = Int(dissector.nodes[i].next)
    }
  }

  /// Too few octets are never an answer, only a reason to wait.
  @Test(arguments: FrameVector.all)
  func cutAtEveryOctet(_ vector: FrameVector) {
    var dissector = Dissector()
    for n in 0..<vector.bytes.count {
      let result = dissector.frame(vector.bytes.span.extracting(0..<n), at: 0, payload: .message)
      #expect(result == .incomplete || (result == .lost && vector.verdict == .malformed), "\(n) octets")
    }
  }

  /// A frame that says it ends earlier must be malformed or mean what its octets say, every one of them.
  @Test(arguments: FrameVector.all)
  func cutAndSaidToEnd(_ vector: FrameVector) {
    var dissector = Dissector()
    guard vector.bytes.count > 8 else { return }
    for n in 8..<vector.bytes.count {
      var q = ByteQueue(Array(vector.bytes[..<n]))
      q.patch32(at: 0, UInt32(n))
      let bytes = q.bytes
      #expect(dissector.frame(bytes.span, at: 0, payload: .message) == .frame(end: n))
      #expect(dissector.firstFlaw(octets: n) == nil)
      if !dissector.isMalformed { #expect(dissector.reencoded(bytes.span) == bytes, "\(n) octets") }
    }
  }

  /// Frames one after the other, at any distance from the start, read as they do alone.
  @Test func inOneStream() {
    let good = FrameVector.all.filter { $0.verdict == .ok }
    let stream = good.flatMap(\.bytes)
    var dissector = Dissector()
    var at = 0
    for vector in good {
      #expect(dissector.frame(stream.span, at: at, payload: .message) == .frame(end: at + vector.bytes.count))
      #expect(dissector.problems == [], "\(vector)")
      #expect(dissector.nodes.allSatisfy { Int($0.offset) >= at })
      at += vector.bytes.count
    }
    #expect(at == stream.count)
  }
}
