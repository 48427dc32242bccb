// A failed system call: which call, its number, and what it was about. Nothing here prints; the text is the system's own.
internal import Glibc

/// An error of the operating system.
package struct Errno: Error, Hashable, Sendable, CustomStringConvertible {
  /// The system call, as in its manual page: `connect`, `open`.
  package let call: String
  package let code: Int32
  /// The path or address it was about, when the caller can't know which of several it was.
  package let subject: String?

  package init(_ call: String, code: Int32, subject: String? = nil) {
    self.call = call
    self.code = code
    self.subject = subject
  }

  /// The error the last failed call left behind. Read it before any other call.
  init(of call: String, subject: String? = nil) {
    self.init(call, code: errno, subject: subject)
  }

  /// The system's own words, in the middle of a sentence: `connection refused`.
  package var text: String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let base = buffer.baseAddress, unsafe strerror_r(code, base, buffer.count) == 0 else {
        return "error \(code)"
      }
      return unsafe String(cString: base).inSentence
    }
  }

  /// `orders.json: no such file or directory`, or `poll: invalid argument` where nothing is named.
  package var description: String { "\(subject ?? call): \(text)" }

  func about(_ subject: String) -> Errno { Errno(call, code: code, subject: subject) }
}

extension String {
  /// "Connection refused" as it is written in the middle of a sentence; "RPC struct is bad" keeps its capitals.
  var inSentence: String {
    guard let second = dropFirst().first, second.isLowercase || second == " " else { return self }
    return prefix(1).lowercased() + dropFirst()
  }
}
