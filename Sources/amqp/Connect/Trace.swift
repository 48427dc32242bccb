// `--trace`: every frame in both directions, as `decode` prints it, on standard error.
import Bytes
import Console
import Runtime
import Wire

final class Trace {
  func attach(to peer: Peer) {}
}
