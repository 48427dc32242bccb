// What the process was started with: its arguments, octet for octet, its environment, and whether a descriptor is a terminal.
import Glibc

package enum Environment {
  /// argv without the program's name.
  package static var arguments: [[UInt8]] {
    var result: [[UInt8]] = []
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let argument = unsafe CommandLine.unsafeArgv[index] else { break }
      result.append(
        unsafe Array(UnsafeBufferPointer(start: argument, count: strlen(argument)).map { UInt8(bitPattern: $0) }))
    }
    return result
  }

  package static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Whether to colour what goes to `descriptor`: `always`, `never`, or `auto`, which asks `NO_COLOR`, `TERM` and the descriptor.
  package static func isColored(_ choice: String, descriptor: Int32) -> Bool {
    switch choice {
    case "always": true
    case "never": false
    default: (variable("NO_COLOR") ?? "").isEmpty && variable("TERM") != "dumb" && isTerminal(descriptor)
    }
  }
}
