// Where the messages of `send` come from: arguments and files, standard input whole, or standard input cut at a delimiter
// or into lines of JSON. It reads no more than the outbox has room for.
import Bytes
import Console
import Engine
import Transport
import Wire

/// Takes the messages that are read.
protocol MessageSink: ~Copyable {
  /// Whether another message may come.
  var hasRoom: Bool { get }
  mutating func accept(prefix: Span<UInt8>, body: Span<UInt8>, suffix: Span<UInt8>) throws(Failure)
  /// One line of JSON: a whole message.
  mutating func accept(json line: Span<UInt8>, number: Int) throws(Failure)
}

struct MessageSource: ~Copyable {
  enum Item {
    case bytes([UInt8])
    /// Read when its turn comes.
    case file(String)
    /// Filled in when its turn comes.
    case template(Template)
  }
  enum Form {
    /// Each is a message, cycled until `count`.
    case items([Item])
    /// Standard input is one message, cycled until `count`.
    case whole
    /// Standard input is cut: the delimiter is not part of a message.
    case cut([UInt8], stripsCR: Bool)
    case json
  }

  private var form: Form
  private var composer: BodyComposer
  private let keepsEmpty: Bool
  private var limit: Int?
  private var input: InputFile?
  private var token: PollSet.Token?
  private var buffer = ByteQueue()
  /// Where the search for a delimiter goes on: what is before holds none.
  private var searched = 0
  private var inputEnded = false
  private var line = 0
  /// Messages that were begun to be read; the last may be a bad one.
  private(set) var emitted = 0
  private var room = 16 * 1024
  private(set) var isAtEnd = false
  /// Keeps inputs until they are accepted.
  var rejects: Rejects?

  init(_ form: Form, composer: BodyComposer, keepsEmpty: Bool, limit: Int?) throws(Failure) {
    (self.form, self.composer, self.keepsEmpty, self.limit) = (form, composer, keepsEmpty, limit)
    switch form {
    case .items: break
    case .whole, .cut, .json:
      do throws(Errno) {
        input = try InputFile()
      } catch {
        throw Failure("cannot read standard input", error.text, exitCode: .noInput)
      }
    }
  }

  /// How many messages there will be; nil: nobody knows before the end.
  var total: Int? {
    if case .items(let items) = form { return limit ?? items.count }
    return limit
  }
  /// Octets of standard input, where it is a file; and how many of them were read.
  var inputSize: Int? { input?.size }
  private(set) var octetsRead = 0

  /// Nothing more is read.
  mutating func stop() { isAtEnd = true }

  /// Moves messages to the sink until it is full or there are none now. Returns whether any moved.
  mutating func pump(into sink: inout some MessageSink & ~Copyable) throws(Failure) {
    isStarved = true
    if isAtEnd { return }
    switch form {
    case .items(let items): try pump(items, into: &sink)
    case .whole: try readWhole(into: &sink)
    case .cut, .json: try pumpStream(into: &sink)
    }
  }

  // MARK: Arguments and files

  private mutating func pump(_ items: [Item], into sink: inout some MessageSink & ~Copyable) throws(Failure) {
    let total = limit ?? items.count
    while emitted < total && sink.hasRoom && !items.isEmpty {
      let index = emitted % items.count
      switch items[index] {
      case .bytes(let bytes): try emit(bytes.span, into: &sink, "body \(index + 1)")
      case .template(let template):
        let bytes = template.expand(number: emitted + 1)
        try emit(bytes.span, into: &sink, "body \(index + 1)")
      case .file(let path):
        let bytes: [UInt8]
        do throws(Errno) {
          bytes = try Files.contents(of: path)
        } catch {
          throw Failure("cannot read \(path)", error.text, exitCode: .noInput)
        }
        // Kept, if small, where its turn comes again.
        if total > items.count && bytes.count < 1 << 20 { keep(bytes, at: index) }
        try emit(bytes.span, into: &sink, path)
      }
    }
    isStarved = false
    if emitted >= total || items.isEmpty { isAtEnd = true }
  }

  /// Arguments and files that were never read can be, each once, though the run is over.
  /// - Returns: whether there are any.
  mutating func reopenItems() -> Bool {
    guard case .items(let items) = form, emitted < min(items.count, limit ?? .max) else { return false }
    limit = min(items.count, limit ?? .max)
    isAtEnd = false
    return true
  }

  private mutating func keep(_ bytes: [UInt8], at index: Int) {
    guard case .items(var items) = form else { return }
    items[index] = .bytes(bytes)
    form = .items(items)
  }

  private mutating func emit(
    _ body: Span<UInt8>, into sink: inout some MessageSink & ~Copyable, _ what: @autoclosure () -> String
  )
    throws(Failure)
  {
    let none: [UInt8] = []
    let suffix = composer.suffix
    emitted += 1
    if composer.isPlain {
      composer.dataPrefix(body.count)
      try composer.prefix.withReadable { (prefix) throws(Failure) in
        try sink.accept(prefix: prefix, body: body, suffix: suffix.span)
      }
    } else {
      try composer.compose(body, what())
      try composer.prefix.withReadable { (prefix) throws(Failure) in
        try sink.accept(prefix: prefix, body: none.span, suffix: suffix.span)
      }
    }
  }

  // MARK: Standard input

  private mutating func readWhole(into sink: inout some MessageSink & ~Copyable) throws(Failure) {
    while !inputEnded {
      if try !read() { return }
    }
    if buffer.isEmpty {
      throw Failure(
        "standard input is empty", "there is nothing to send", nextStep: "an empty message is the empty argument ''",
        exitCode: .badInput)
    }
    form = .items([.bytes(buffer.bytes)])
    buffer = ByteQueue()
    try pump(into: &sink)
  }

  private mutating func pumpStream(into sink: inout some MessageSink & ~Copyable) throws(Failure) {
    var reads = 0
    while true {
      while sink.hasRoom && limit.map({ emitted < $0 }) ?? true {
        guard try takeOne(into: &sink) else { break }
      }
      if let limit, emitted >= limit {
        isAtEnd = true
        return
      }
      if inputEnded && buffer.isEmpty {
        isAtEnd = true
        return
      }
      // A few reads a turn, so that a fast pipe can't keep the connection waiting.
      if !sink.hasRoom || inputEnded || reads == 4 {
        isStarved = false
        return
      }
      if try !read() { return }
      reads += 1
    }
  }

  /// What of a stream nobody came to send: what was read of it, and what is there still. Of a file that is all of it; of a
  /// pipe as much as one holds, because who writes to it may never end.
  mutating func giveRest(_ body: (Span<UInt8>) -> Void) {
    switch form {
    case .items, .whole: return
    case .cut, .json: if let limit, emitted >= limit { return }
    }
    guard let kind = input?.kind, kind != .terminal else { return }
    let most = kind == .file ? Int.max : 1 << 20
    var count = 0
    // A message that was cut off and could not be sent is still in the buffer, and was told of.
    buffer.consume(min(unfinished, buffer.count))
    repeat {
      count += buffer.count
      buffer.withReadable(body)
      buffer.removeAll()
    } while !inputEnded && count < most && (try? read()) == true
  }
  /// Octets at the front of the buffer that are on their way to the sink.
  private var unfinished = 0

  /// Reads once. Returns whether anything came, the end included.
  private mutating func read() throws(Failure) -> Bool {
    guard let input else { return false }
    let size = room
    do throws(Errno) {
      var progress = IOProgress.wouldBlock
      let n = try buffer.fill(room: size) { span throws(Errno) in progress = try input.read(into: &span) }
      octetsRead += n
      if n == size { room = min(room * 2, 256 * 1024) }
      switch progress {
      case .bytes(let n): if n == 0 { return false }
      case .wouldBlock: return false
      case .end: inputEnded = true
      }
      return true
    } catch {
      throw Failure("cannot read standard input", error.text, exitCode: .noInput)
    }
  }

  /// Cuts one message off the front of the buffer. False: there is no whole one.
  private mutating func takeOne(into sink: inout some MessageSink & ~Copyable) throws(Failure) -> Bool {
    var delimiter: [UInt8] = [0x0a]
    var stripsCR = true
    if case .cut(let bytes, let strips) = form { (delimiter, stripsCR) = (bytes, strips) }
    let start = buffer.readable.lowerBound
    let found = buffer.withReadable { find(delimiter, in: $0, from: searched) }
    let end: Int
    let skip: Int
    if let found {
      end = found
      skip = found + delimiter.count
    } else {
      // What may be the beginning of a delimiter is looked at again.
      searched = max(0, buffer.count - delimiter.count + 1)
      guard inputEnded, !buffer.isEmpty else { return false }
      end = buffer.count
      skip = end
    }
    searched = 0
    line += 1
    var range = start..<start + end
    if stripsCR && end > 0 && buffer.withBytes(range, { $0[$0.count - 1] }) == 0x0d {
      range = range.lowerBound..<range.upperBound - 1
    }
    if range.isEmpty && !keepsEmpty {
      buffer.consume(skip)
      return true
    }
    if let rejects { buffer.withBytes(range) { rejects.keep($0) } }
    unfinished = skip
    if case .json = form {
      emitted += 1
      let number = line
      try buffer.withBytes(range) { span throws(Failure) in try sink.accept(json: span, number: number) }
    } else {
      let number = line
      try buffer.withBytes(range) { span throws(Failure) in try emit(span, into: &sink, "line \(number)") }
    }
    unfinished = 0
    buffer.consume(skip)
    return true
  }

  private func find(_ delimiter: [UInt8], in b: Span<UInt8>, from start: Int) -> Int? {
    var at = start
    while let hit = b.firstIndex(of: delimiter[0], from: at) {
      if delimiter.count == 1 { return hit }
      if hit + delimiter.count > b.count { return nil }
      var same = true
      for i in 1..<delimiter.count where b[hit + i] != delimiter[i] { same = false }
      if same { return hit }
      at = hit + 1
    }
    return nil
  }

  // MARK: Polling

  mutating func register(_ polls: inout PollSet, wants: Bool) {
    guard let input, !isAtEnd, !inputEnded, wants else { return }
    token = polls.add(input.number, read: true)
  }

  /// The last pump stopped for want of input, or there is nothing more: only poll can bring on the next message.
  private(set) var isStarved = false
}
