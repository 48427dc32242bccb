// Whole files, and the files of a directory in order.
internal import Glibc

package enum Files {
  /// The whole content; more than `limit` bytes is EFBIG, found before they are read where the size is known. Blocks until
  /// a FIFO's writer is done: use `InputFile` where that could be long.
  package static func contents(of path: String, limit: Int = .max - 1) throws(Errno) -> [UInt8] {
    let file = try Descriptor(opening: path, O_RDONLY)
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { throw Errno(of: "fstat", subject: path) }
    let size = Int(status.st_size)
    var bytes: [UInt8] = []
    // One byte more than there should be, so that the end shows without growing. Files under /proc say 0 and have more.
    var chunk = max(size, 4_095) + 1
    while size <= limit, bytes.count <= limit {
      let progress: IOProgress
      do throws(Errno) {
        progress = try file.read(appendingTo: &bytes, atMost: min(chunk, limit + 1 - bytes.count))
      } catch {
        throw error.about(path)
      }
      switch progress {
      case .bytes: chunk = 262_144
      case .end: return bytes
      case .wouldBlock: throw Errno("read", code: EAGAIN, subject: path)  // not one of our own: we opened it blocking
      }
    }
    throw Errno("read", code: EFBIG, subject: path)
  }

  /// Puts `bytes` into the file at `path` in the place of what it holds: whoever reads it, or starts again after a kill, finds
  /// all of the old content or all of the new.
  package static func replace(_ path: String, with bytes: Span<UInt8>) throws(Errno) {
    let beside = path + ".new"
    let number = unsafe open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    if number < 0 { throw Errno(of: "open", subject: beside) }
    defer { close(number) }
    try writeAll(bytes, number, beside)
    if unsafe rename(beside, path) != 0 { throw Errno(of: "rename", subject: path) }
  }

  /// A new file at `path`; EEXIST when there is one. What can't be written whole is taken away again.
  package static func create(_ path: String, with bytes: Span<UInt8>) throws(Errno) {
    let number = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if number < 0 { throw Errno(of: "open", subject: path) }
    defer { close(number) }
    do throws(Errno) { try writeAll(bytes, number, path) } catch {
      remove(path)
      throw error
    }
  }

  /// Takes a file away, if it is there.
  package static func remove(_ path: String) { _ = unsafe unlink(path) }

  private static func writeAll(_ bytes: Span<UInt8>, _ number: Int32, _ path: String) throws(Errno) {
    var at = 0
    while at < bytes.count {
      let rest = bytes.extracting(at..<bytes.count)
      let n = unsafe rest.withUnsafeBytes { unsafe write(number, $0.baseAddress, $0.count) }
      if n < 0 && errno == EINTR { continue }
      if n < 0 { throw Errno(of: "write", subject: path) }
      at += n
    }
  }

  /// Whether what is at `path` is the file that `number` is open on.
  package static func isSame(_ path: String, as number: Int32) -> Bool {
    var (one, other) = (stat(), stat())
    guard unsafe stat(path, &one) == 0, unsafe fstat(number, &other) == 0 else { return false }
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino && one.st_mode & S_IFMT == S_IFREG
  }

  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0
  }

  /// Whether everybody may read it.
  package static func isForAll(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IROTH != 0
  }

  package static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The paths of a directory's regular files (or links to them), in the order of their names' bytes, whatever the locale.
  /// As the shell's `*` does, it leaves out names that begin with a dot.
  package static func inDirectory(_ path: String) throws(Errno) -> [String] {
    guard let directory = unsafe opendir(path) else { throw Errno(of: "opendir", subject: path) }
    defer { unsafe closedir(directory) }
    let prefix = path.hasSuffix("/") ? path : path + "/"
    var found: [String] = []
    while true {
      errno = 0  // the only way readdir tells an error from the end
      guard let entry = unsafe readdir(directory) else {
        if errno != 0 { throw Errno(of: "readdir", subject: path) }
        break
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(validatingCString: $0) }
      }
      guard let name else { throw Errno("readdir", code: EILSEQ, subject: path) }  // a name that isn't UTF-8
      if name.utf8.first != UInt8(ascii: "."), isRegular(prefix + name) { found.append(prefix + name) }
    }
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func isRegular(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}

extension Descriptor {
  borrowing func read(appendingTo bytes: inout [UInt8], atMost count: Int) throws(Errno) -> IOProgress {
    var progress = IOProgress.end
    try bytes.append(addingCapacity: count) { (span: inout OutputSpan<UInt8>) throws(Errno) in
      try unsafe span.withUnsafeMutableBufferPointer { (buffer, initialized) throws(Errno) in
        var raw = unsafe OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: initialized)
        progress = try read(into: &raw)
        initialized = raw.byteCount
      }
    }
    return progress
  }
}
