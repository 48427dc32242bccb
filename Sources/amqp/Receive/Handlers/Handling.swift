// What a command for each message and a worker for all of them have in common, as the run sees them.
import Bytes
import Console
import Render
import Transport
import Wire

/// A verdict, and with `--respond` what the program put out.
struct HandlerAnswer {
  let ticket: Ticket
  let verdict: Verdict
  /// When the message was given to the program.
  let began: Int64
  var reply: Reply = .none
  /// The program ended, perhaps over another message.
  var isUntried = false

  enum Reply {
    case none
    case body(ByteQueue)
    case message(MessageDraft)
  }
}

protocol Handling: AnyObject {
  /// Messages that wait for a place, and those that are with a program or whose output is not written.
  var waiting: Int { get }
  var busy: Int { get }
  /// Takes over a message. Its octets are good during the call.
  func take(_ ticket: Ticket, _ message: Span<UInt8>, _ context: MessageContext)
  /// Moves what can move, and tells of every message that is decided.
  func advance(now: Int64, childrenChanged: Bool, _ output: inout OutputQueue, _ answer: (HandlerAnswer) -> Void)
  /// Forgets what waits, but for what came settled: nobody sends that again.
  /// - Returns: how many.
  @discardableResult
  func dropWaiting() -> Int
  /// Messages of a connection, not settled, that are with a program or whose output is not written.
  func busy(of server: Served) -> Int
  /// Nothing more will come. Called again until it returns true: everything has ended.
  func finish(now: Int64) -> Bool
  /// Ends everything at once; nothing is answered any more.
  func kill()
  /// - Parameter room: whether our output has room for more.
  func register(_ polls: inout PollSet, room: Bool)
  var deadline: Int64? { get }
  /// The run is over because of it.
  func takeFailure() -> Failure?
  /// For people: what else has happened.
  func takeNotes() -> [String]
}
