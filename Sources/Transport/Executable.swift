// A program that children are made of: where it is, its arguments, and everything of a child that is the same each time,
// prepared once because a child is started for every message.
internal import Glibc

package final class Executable {
  package let path: String
  let arguments: CStrings
  /// Our own environment, as it was when the program was prepared.
  let inherited: CStrings
  private var attributes = posix_spawnattr_t()

  /// - Parameters:
  ///   - arguments: with the program's name in front.
  ///   - hides: variables of our environment that children don't get are those with these beginnings.
  package init(path: String, arguments: [[UInt8]], hides: [String] = []) throws(Errno) {
    self.path = path
    self.arguments = CStrings(arguments)
    inherited = CStrings(Executable.environment(without: hides))
    unsafe posix_spawnattr_init(&attributes)
    // Handlers go back to the default by themselves, what is ignored stays so: SIGPIPE is, by us alone.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigaddset(&signals, SIGPIPE)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    // A group of its own: Ctrl-C is ours, and all that it starts can be ended with it.
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    // Nothing of ours may have a number that children know something else by.
    if fcntl(Child.extraNumber, F_GETFD) < 0 {
      let number = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
      if number < 0 { throw Errno(of: "open", subject: "/dev/null") }
      if number != Child.extraNumber {
        let code = fcntl(number, F_DUPFD_CLOEXEC, Child.extraNumber)
        close(number)
        if code < 0 { throw Errno(of: "fcntl") }
      }
    }
  }

  deinit { unsafe posix_spawnattr_destroy(&attributes) }

  /// Runs it with these descriptors as 0, 1 and 3.
  func spawn(
    _ environment: UnsafePointer<UnsafeMutablePointer<CChar>?>, input: Int32, output: Int32, extra: Int32?
  ) throws(Errno) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    if let extra { unsafe posix_spawn_file_actions_adddup2(&actions, extra, Child.extraNumber) }
    var number: pid_t = 0
    let code = unsafe posix_spawn(&number, path, &actions, &attributes, arguments.pointers, environment)
    if code != 0 { throw Errno("posix_spawn", code: code, subject: path) }
    return number
  }

  /// The file that a shell would run for `name`.
  /// - Throws: ENOENT where there is none, EACCES where none can be run.
  package static func find(_ name: String) throws(Errno) -> String {
    var refused: Int32 = ENOENT
    func isProgram(_ path: String) -> Bool {
      var status = stat()
      guard unsafe stat(path, &status) == 0 else {
        if errno == EACCES { refused = EACCES }
        return false
      }
      let mayRun = unsafe access(path, X_OK) == 0
      if mayRun && status.st_mode & S_IFMT == S_IFREG { return true }
      refused = EACCES
      return false
    }
    if name.utf8.contains(UInt8(ascii: "/")) {
      if isProgram(name) { return name }
    } else if !name.isEmpty {
      let variable = unsafe getenv("PATH")
      let folders = unsafe variable.map { unsafe String(cString: $0) } ?? "/bin:/usr/bin"
      for folder in folders.split(separator: ":", omittingEmptySubsequences: false) {
        let path = folder.isEmpty ? "./\(name)" : "\(folder)/\(name)"
        if isProgram(path) { return path }
      }
    }
    throw Errno("exec", code: refused, subject: name)
  }

  private static func environment(without hidden: [String]) -> [[UInt8]] {
    // A variable that anybody may change can't be named in Swift 6; there is one thread here.
    guard let symbol = unsafe dlsym(nil, "environ") else { return [] }
    let block = unsafe symbol.assumingMemoryBound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self)
    guard let entries = unsafe block.pointee else { return [] }
    var all: [[UInt8]] = []
    var i = 0
    while let entry = unsafe entries[i] {
      i += 1
      let octets = unsafe UnsafeRawBufferPointer(start: entry, count: strlen(entry))
      let isHidden = hidden.contains { prefix in
        unsafe octets.count >= prefix.utf8.count && octets.prefix(prefix.utf8.count).elementsEqual(prefix.utf8)
      }
      if !isHidden { unsafe all.append(Array(octets)) }
    }
    return all
  }
}

/// Strings as C has them, with a null pointer at the end.
@safe final class CStrings {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  let count: Int

  init(_ strings: [[UInt8]]) {
    count = strings.count
    unsafe pointers = .allocate(capacity: strings.count + 1)
    for (i, string) in strings.enumerated() {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count + 1)
      for (k, octet) in string.enumerated() { unsafe (copy + k).initialize(to: CChar(bitPattern: octet)) }
      unsafe (copy + string.count).initialize(to: 0)
      unsafe (pointers + i).initialize(to: copy)
    }
    unsafe (pointers + strings.count).initialize(to: nil)
  }

  deinit {
    for i in 0..<count { unsafe pointers[i]?.deallocate() }
    unsafe pointers.deallocate()
  }
}
