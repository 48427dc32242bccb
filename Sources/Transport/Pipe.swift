// A pipe of our own: both ends close-on-exec and non-blocking.
internal import Glibc

package struct Pipe: ~Copyable {
  package let reader: Descriptor
  package let writer: Descriptor

  package init() throws(Errno) {
    var numbers: (Int32, Int32) = (-1, -1)
    let result = unsafe withUnsafeMutableBytes(of: &numbers) {
      unsafe Glibc.pipe($0.bindMemory(to: Int32.self).baseAddress)
    }
    guard result == 0 else { throw Errno(of: "pipe") }
    let reader = Descriptor(owning: numbers.0)
    let writer = Descriptor(owning: numbers.1)
    try reader.makeOurs()
    try writer.makeOurs()
    self.reader = reader
    self.writer = writer
  }
}
