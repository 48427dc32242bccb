// The line at the bottom of standard error that says how far a run has come: drawn over itself, and gone before anything
// else is written there. Where standard error is no terminal it is a line among others, and rarer. What it says and how
// often is its owner's business.

/// One of a process, and of its one loop: nobody else draws.
package final class StatusLine: @unchecked Sendable {
  /// Drawn in place; otherwise each is a line of its own.
  package let isTerminal: Bool
  private let descriptor: Int32
  private let width: () -> Int
  private var isShown = false

  /// - Parameter width: columns, asked at every drawing because people change them.
  package init(descriptor: Int32 = 2, isTerminal: Bool, width: @escaping () -> Int) {
    (self.descriptor, self.isTerminal, self.width) = (descriptor, isTerminal, width)
  }

  package func show(_ text: String) {
    guard isTerminal else { return put(text + "\n") }
    // One column less than there are: a full line would wrap on some terminals, and nothing takes that back.
    put("\r\(text.prefix(max(0, width() - 1)))\u{1B}[K")
    isShown = true
  }

  package func hide() {
    if !isShown { return }
    isShown = false
    put("\r\u{1B}[K")
  }

  private func put(_ text: String) {
    var text = text
    _ = text.withUTF8 { unsafe writeAll(descriptor, UnsafeRawBufferPointer($0)) }
  }
}
