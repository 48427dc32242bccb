/// What a reader makes of an input, in a form that can be compared.
import Bytes
package import Capture

package struct Reading: Equatable {
  package struct Stream: Equatable {
    package var description: StreamDescription
    package var forward: [UInt8] = []
    package var backward: [UInt8] = []
    package var unknown: [UInt8] = []
    package var ending: StreamEnding?
  }

  package var form = InputForm.auto
  package var streams: [Stream] = []
  /// "0>12": a gap in stream 0, forward, of 12 octets.
  package var gaps: [String] = []
  package var notes: [String] = []
  package var failure: String?
  /// The times of octets, in order, where they have one.
  package var times: [Int64] = []
  /// Directions in the order in which octets came, repetitions left out.
  package var turns: [Direction] = []

  package init() {}
}

/// Reads `input`, handed over in pieces of `size` octets.
package func readCapture(_ input: [UInt8], as form: InputForm = .auto, pieces size: Int = .max) -> Reading {
  var reader = CaptureReader(form)
  var reading = Reading()
  var at = 0
  while at < input.count {
    let end = size < input.count - at ? at + size : input.count
    reader.append(input[at..<end].span)
    at = end
    take(&reader, &reading)
  }
  reader.finish()
  take(&reader, &reading)
  reading.form = reader.form
  return reading
}

package func readCapture(_ text: String, as form: InputForm = .auto, pieces size: Int = .max) -> Reading {
  readCapture(Array(text.utf8), as: form, pieces: size)
}

private func take(_ reader: inout CaptureReader, _ reading: inout Reading) {
  while let event = reader.nextEvent() {
    precondition(reading.failure == nil, "an event after the failure: \(event)")
    switch event {
    case .opened(let stream, let description):
      precondition(stream == reading.streams.count, "streams are numbered in order")
      reading.streams.append(.init(description: description))
    case .octets(let stream, let direction, let time, let range):
      precondition(!range.isEmpty && reading.streams[stream].ending == nil)
      let octets = reader.withBytes(range) { $0.array }
      switch direction {
      case .forward: reading.streams[stream].forward += octets
      case .backward: reading.streams[stream].backward += octets
      case .unknown: reading.streams[stream].unknown += octets
      }
      if let time { reading.times.append(time) }
      if reading.turns.last != direction { reading.turns.append(direction) }
    case .gap(let stream, let direction, let octets, _):
      precondition(reading.streams[stream].ending == nil)
      let arrow = direction == .forward ? ">" : direction == .backward ? "<" : "-"
      reading.gaps.append("\(stream)\(arrow)\(octets.map { "\($0)" } ?? "?")")
    case .closed(let stream, let ending, _):
      precondition(reading.streams[stream].ending == nil)
      reading.streams[stream].ending = ending
    case .note(let text): reading.notes.append(text)
    case .failed(let why): reading.failure = why
    }
  }
}
