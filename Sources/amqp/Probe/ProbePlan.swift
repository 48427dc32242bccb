// What the options of `probe` come to.
import Console
import Engine
import Wire

struct ProbePlan {
  enum Form { case text(isColored: Bool), json }

  /// All peers of a list, each looked at by itself.
  let peers: [ConnectPlan]
  let nodes: [NodeAddress]
  let expectations: [Expectation]
  let form: Form
  /// Nanoseconds; 0: not at all.
  let wait: Int64
  /// Nanoseconds from round to round; nil: there is one.
  let watch: Int64?
  let count: Int?
  /// Nanoseconds.
  let timeout: Int64?

  init(_ arguments: ParsedArguments) throws(Failure) {
    var nodes = arguments.positionals.map { NodeAddress(String(decoding: $0, as: UTF8.self)) }
    if let named = try LinkOptions.namedAddress(arguments) { nodes.append(named) }
    self.nodes = nodes
    expectations = try ProbePlan.expectations(arguments, hasNodes: !nodes.isEmpty)
    let connect = try ConnectPlan(arguments, needs: nodes.compactMap { DialectChoice.need(address: $0) })
    peers = [connect] + connect.alternatives
    wait = connect.retry.wait
    timeout = arguments.nanoseconds("timeout").map { Int64($0) }
    watch = arguments.nanoseconds("watch").map { max(1_000_000, Int64($0)) }
    count = arguments.count("count")
    form =
      arguments.flag("json")
      ? .json : .text(isColored: Environment.isColored(arguments.value("color") ?? "auto", descriptor: 1))
    try check(arguments)
  }

  private func check(_ arguments: ParsedArguments) throws(Failure) {
    if arguments.flag("count") && watch == nil && peers[0].listen == nil {
      throw .usage(arguments.spelling("count"), "it counts the rounds of --watch", nextStep: "add --watch 2s")
    }
    if count == 0 { throw .usage(arguments.spelling("count"), "there is nothing to do in 0 rounds") }
    guard peers[0].listen != nil else { return }
    if !nodes.isEmpty { throw .usage("--listen and NODE", "clients have no nodes: leave NODE out") }
    for option in ["watch", "expect"] where arguments.flag(option) {
      throw .usage("--listen and \(arguments.spelling(option))", "it is for dialling, and --listen waits for clients")
    }
  }

  private static func expectations(
    _ arguments: ParsedArguments, hasNodes: Bool
  ) throws(Failure) -> [Expectation] {
    try arguments.values("expect").map { text throws(Failure) in
      let expectation: Expectation
      do throws(TextFault) {
        expectation = try Expectation(text)
      } catch {
        throw .usage("--expect '\(text)'", error.reason, nextStep: "amqp help format lists the keys")
      }
      if expectation.isAboutNodes && !hasNodes {
        throw .usage("--expect '\(text)'", "it is about a NODE, and none is given", nextStep: "amqp probe URL NODE")
      }
      return expectation
    }
  }
}
