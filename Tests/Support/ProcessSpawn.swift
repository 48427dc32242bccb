// Starts a program with given descriptors. `Foundation.Process` can't say which signals a child ignores, and a shell starts
// its background jobs with SIGINT ignored: here every child begins with the default actions and no blocked signal.
import Glibc

package struct ProcessFault: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

enum ProcessSpawn {
  private typealias Actions = UnsafeMutablePointer<posix_spawn_file_actions_t>
  private typealias ChangeOfDirectory = @convention(c) (Actions, UnsafePointer<CChar>) -> Int32
  private typealias CloseFrom = @convention(c) (Actions, Int32) -> Int32
  // glibc has them, the module map has not.
  private static let addChangeOfDirectory = unsafeBitCast(
    dlsym(nil, "posix_spawn_file_actions_addchdir_np"), to: ChangeOfDirectory.self)
  private static let addCloseFrom = unsafeBitCast(
    dlsym(nil, "posix_spawn_file_actions_addclosefrom_np"), to: CloseFrom.self)

  /// - Returns: the process-id. `descriptors` become 0, 1 and 2; the caller closes its own.
  static func start(
    _ program: String, _ arguments: [String], environment: [String], directory: String,
    descriptors: (Int32, Int32, Int32)
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    _ = ProcessSpawn.addChangeOfDirectory(&actions, directory)
    posix_spawn_file_actions_adddup2(&actions, descriptors.0, 0)
    posix_spawn_file_actions_adddup2(&actions, descriptors.1, 1)
    posix_spawn_file_actions_adddup2(&actions, descriptors.2, 2)
    // Tests run side by side: a pipe of another one, made this moment, would never end if this child held it too.
    _ = ProcessSpawn.addCloseFrom(&actions, 3)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var all = sigset_t()
    sigfillset(&all)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, program, &actions, &attributes, &argv, &envp)
    guard code == 0 else { throw ProcessFault("\(program): \(String(cString: strerror(code)))") }
    return pid
  }

  static func pipe() throws -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [-1, -1]
    guard Glibc.pipe(&ends) == 0 else { throw ProcessFault("pipe: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// A pseudo-terminal in raw mode: what the child shows comes out of `master` octet for octet.
  static func terminal() throws -> (master: Int32, slave: Int32) {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var unlock: Int32 = 0
    var number: Int32 = 0
    // TIOCSPTLCK and TIOCGPTN: posix_openpt's helpers are not in the module map.
    guard master >= 0, ioctl(master, 0x4004_5431, &unlock) == 0, ioctl(master, 0x8004_5430, &number) == 0 else {
      throw ProcessFault("no pseudo-terminal")
    }
    let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var settings = termios()
    tcgetattr(slave, &settings)
    cfmakeraw(&settings)
    tcsetattr(slave, TCSANOW, &settings)
    return (master, slave)
  }
}
