// `--save`: writes each message into its files before anything is settled. A file that could not be written whole is taken
// away again.
import Bytes
import Console
import Engine
import Glibc
import Render
import Transport
import Wire

struct Saver {
  private let directory: SaveDirectory
  private var next: Int
  private var bodies = MessageWriter(.bodies(delimiter: []), escapes: false)
  private var documents = MessageWriter(.json(.lossless), escapes: false)
  private var scratch = ByteQueue()

  init(_ directory: SaveDirectory) {
    self.directory = directory
    next = directory.first
  }

  mutating func save(
    _ delivery: Delivery, _ connection: borrowing Connection, address: String, number: Int
  ) throws(Failure) {
    scratch.removeAll()
    try bodies.write(delivery, connection, address: address, number: number, to: &scratch)
    let body = try create()
    scratch.removeAll()
    do throws(Failure) {
      try documents.write(delivery, connection, address: address, number: number, to: &scratch)
    } catch {
      Files.remove(body)
      throw error
    }
    do throws(Errno) {
      try scratch.withReadable { (b) throws(Errno) in try Files.replace(directory.name(next, "json"), with: b) }
    } catch {
      Files.remove(directory.name(next, "json.new"))
      Files.remove(body)
      throw failure(error)
    }
    next += 1
    if scratch.count > 1 << 20 { scratch = ByteQueue() }
  }

  /// The file of the body that is in `scratch`, under the next number that nobody else has taken.
  private mutating func create() throws(Failure) -> String {
    while true {
      let path = directory.name(next, "body")
      do throws(Errno) {
        try scratch.withReadable { (b) throws(Errno) in try Files.create(path, with: b) }
        return path
      } catch {
        if error.code != EEXIST { throw failure(error) }
        next += 1
      }
    }
  }

  private func failure(_ error: Errno) -> Failure {
    Failure("cannot save into '\(directory.path)'", error.text, exitCode: .cannotWrite)
  }
}
