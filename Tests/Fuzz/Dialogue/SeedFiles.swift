/// `FuzzInitiator --seeds FOLDER` puts every seed into a file of its own there.
import Foundation

package func writeSeeds(
  _ seeds: @autoclosure () -> [[UInt8]], _ count: CInt,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Bool {
  guard count == 3, let arguments, let option = arguments[1], String(cString: option) == "--seeds",
    let folder = arguments[2].map({ String(cString: $0) })
  else { return false }
  for (i, seed) in seeds().enumerated() {
    do {
      try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/dialogue-\(i + 1)"))
    } catch {
      fatalError("\(error)")
    }
  }
  return true
}
