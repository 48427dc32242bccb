/// The connection that dials and speaks 0-9-1: its peer's octets and its application's wishes as a program.
import Dialogue
import Engine
import Support

// The package manager renames an executable's main; libFuzzer's is called from it.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("FuzzInitiator091_main")
public func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  if writeSeeds(Seeds.all091(.initiator), count, arguments) { return 0 }
  var (count, arguments) = (count, arguments)
  return runDriver(&count, &arguments) { start, count in
    fuzzDialogue(.initiator, protocols: .amqp091, Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  }
}
