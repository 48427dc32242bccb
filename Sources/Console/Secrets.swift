// Passwords in URLs: masked where a URL is shown, and in the list of processes, which shows a command line to everybody.
import Glibc

package enum Secrets {
  /// `amqp://user:***@host`: the password of each URL in `text` is masked.
  package static func masked(url text: String) -> String {
    String(decoding: masked(url: Array(text.utf8)), as: UTF8.self)
  }

  static func masked(url bytes: [UInt8]) -> [UInt8] {
    let mark = Array("://".utf8)
    let next = Array(",amqp".utf8)
    var out: [UInt8] = []
    var i = 0
    while i < bytes.count {
      guard bytes[i...].starts(with: mark) else {
        out.append(bytes[i])
        i += 1
        continue
      }
      out += mark
      i += 3
      // The authority ends at `/`, `?`, `#`, or a comma before another URL. A bare `@` or `/` inside a password (not legal)
      // would end it early and show the rest, so what counts is the last `@` before the next URL of the list.
      var end = i
      while end < bytes.count, !bytes[end...].starts(with: next) { end += 1 }
      guard let at = bytes[i..<end].lastIndex(of: UInt8(ascii: "@")) else { continue }
      if let colon = bytes[i..<at].firstIndex(of: UInt8(ascii: ":")) {
        out += bytes[i...colon]
        out += Array("***".utf8)
      } else {
        out += bytes[i..<at]
      }
      i = at
    }
    return out
  }

  /// Masks the passwords of URLs where `ps` and /proc read the command line: in the memory it was passed in, which is read
  /// no more by us. What gets shorter is filled up with blanks, so that the arguments stay apart.
  package static func wipeCommandLine() {
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let argument = unsafe CommandLine.unsafeArgv[index] else { return }
      let octets = unsafe UnsafeMutableRawBufferPointer(start: argument, count: strlen(argument))
      let text = unsafe Array(octets)
      guard holdsURL(text) else { continue }
      let masked = masked(url: text)
      if masked == text { continue }
      for place in text.indices {
        unsafe octets[place] = place < masked.count ? masked[place] : UInt8(ascii: " ")
      }
    }
  }

  private static func holdsURL(_ text: [UInt8]) -> Bool {
    let starts = [Array("amqp://".utf8), Array("amqps://".utf8)]
    return text.indices.contains { i in
      text[i] == UInt8(ascii: "a") && starts.contains { text[i...].starts(with: $0) }
    }
  }
}
