// A page of the manual that belongs to no single command, such as the forms that messages are written in. One row list like
// the commands': the help and the man pages read it.

package struct TopicSpec: Sendable {
  /// `amqp help NAME`; with the program's name in front, the man page.
  package let name: String
  /// Of the manual: 5, file formats.
  package let section: Int
  /// One line, lower case, no full stop.
  package let summary: String
  package let parts: [Part]
  package let seeAlso: [String]

  package init(name: String, section: Int, summary: String, parts: [Part], seeAlso: [String] = []) {
    self.name = name
    self.section = section
    self.summary = summary
    self.parts = parts
    self.seeAlso = seeAlso
  }

  package struct Part: Sendable {
    package let title: String
    package let blocks: [Block]

    package init(_ title: String, _ blocks: [Block]) {
      self.title = title
      self.blocks = blocks
    }
  }

  /// In texts and meanings `` `x` `` marks literal input; names and lines are literal as a whole.
  package enum Block: Sendable {
    case text(String)
    case rows([Row])
    /// Shown as it is.
    case lines([String])
  }

  package struct Row: Sendable {
    package let name: String
    package let meaning: String

    package init(_ name: String, _ meaning: String) {
      self.name = name
      self.meaning = meaning
    }
  }
}
