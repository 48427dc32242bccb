// What one session can say of the nodes asked for: over 0-9-1 by passive declarations, at RabbitMQ 4 by its management node,
// over 1.0 by attaching a link to each end of a node and looking at the answer. A receiver is given no credit, so nothing is
// taken. Where a link of ours could do harm by its mere end (the last consumer of an auto-delete queue), there is none.
import Console
import Engine
import Runtime
import Wire

struct NodeProbe {
  private enum Step {
    case waiting
    case methods(pending: Int)
    case management(Management)
    case source(LinkID)
    case target(LinkID, creditBy: Int64?)
    case done
  }

  private let addresses: [NodeAddress]
  private(set) var reports: [NodeReport]
  private var step = Step.waiting
  /// The node that links are attached to.
  private var place = 0
  private var dialect = NodeAddress.Dialect.other

  /// How long credit is waited for: peers send it along with their attach.
  private static let patience: Int64 = 1_000_000_000

  init(_ addresses: [NodeAddress], _ reports: [NodeReport]) { (self.addresses, self.reports) = (addresses, reports) }

  var isDone: Bool { if case .done = step { true } else { false } }

  /// The name of the node that is looked at.
  var current: String? { place < reports.count ? reports[place].name : nil }

  mutating func end() { step = .done }

  /// The peer has been silent for too long.
  mutating func giveUp(after timeout: Int64) {
    for i in reports.indices where reports[i].exists == nil && reports[i].failure == nil {
      reports[i].failure = Failure(
        "cannot find '\(reports[i].name)'", "no answer in \(durationText(timeout))", exitCode: .unreachable)
    }
    end()
  }

  mutating func begin(_ connection: inout Connection, now: Int64) {
    let peer = connection.peer
    dialect =
      connection.dialect == .amqp091 ? .amqp091 : NodeAddress.Dialect(product: peer.product, version: peer.version)
    let declarations = addresses.map { NodeProbe.declaration($0) }
    switch dialect {
    case .amqp091:
      for declaration in declarations { if let declaration { _ = connection.declare(declaration) } }
      asked = declarations.indices.filter { declarations[$0] != nil }
      step = asked.isEmpty ? .done : .methods(pending: asked.count)
    case .rabbitMQ4:
      asked = declarations.indices.filter { if case .queue? = declarations[$0] { true } else { false } }
      if asked.isEmpty { return attach(&connection) }
      var management = Management(asked.map { declarations[$0]! })
      management.begin(&connection)
      step = .management(management)
    case .rabbitMQ3, .other: attach(&connection)
    }
  }
  /// The nodes behind the declarations.
  private var asked: [Int] = []

  /// Nil: 0-9-1 has no such thing.
  private static func declaration(_ address: NodeAddress) -> Declaration? {
    switch address.node091 {
    case .queue(let name):
      var queue = Declaration.Queue(name)
      queue.isPassive = true
      return .queue(queue)
    case .exchange(let name, _):
      var exchange = Declaration.Exchange(name)
      exchange.isPassive = true
      return .exchange(exchange)
    case nil: return nil
    }
  }

  // MARK: Events

  mutating func take(_ event: Event, _ connection: inout Connection, _ explanation: Explanation, now: Int64) {
    switch step {
    case .waiting, .done: return
    case .methods(let pending):
      guard case .declared(_, let error) = event else { return }
      let i = asked[asked.count - pending]
      if let error { refused(i, CloseReason(.link, .peer, error), explanation) } else { declared(i, connection) }
      step = pending == 1 ? .done : .methods(pending: pending - 1)
    case .management(var management):
      _ = management.take(event, &connection)
      step = .management(management)
    case .source(let link):
      if case .attached(link) = event {
        reports[place].source = NodeProbe.terminus(connection.remoteAttach(link), .receiver)
        found(connection.remoteAttach(link).source?.capabilities ?? [])
        connection.detach(link)
        attachTarget(&connection)
      } else if case .detached(link, let reason) = event {
        refused(place, reason, explanation)
        // A node may be there for one direction only.
        attachTarget(&connection)
      }
    case .target(let link, _):
      if case .attached(link) = event {
        reports[place].target = NodeProbe.terminus(connection.remoteAttach(link), .sender)
        found(connection.remoteAttach(link).target?.capabilities ?? [])
        step = .target(link, creditBy: now + NodeProbe.patience)
      } else if case .detached(link, let reason) = event {
        refused(place, reason, explanation)
        next(&connection)
      }
    }
  }

  /// What no event tells.
  mutating func advance(_ connection: inout Connection, _ explanation: Explanation, now: Int64) {
    switch step {
    case .management(var management):
      management.advance(&connection)
      step = .management(management)
      if management.isDone {
        managed(management, explanation)
        attach(&connection)
      }
    case .target(let link, let creditBy?):
      let credit = connection.credit(link)
      guard credit > 0 || now >= creditBy else { return }
      reports[place].target?.credit = credit
      connection.detach(link)
      next(&connection)
    case .waiting, .methods, .source, .target, .done: break
    }
  }

  var deadline: Int64? { if case .target(_, let creditBy) = step { creditBy } else { nil } }

  // MARK: Links

  private mutating func next(_ connection: inout Connection) {
    place += 1
    attach(&connection)
  }

  private mutating func attach(_ connection: inout Connection) {
    guard place < addresses.count else {
      step = .done
      return
    }
    // RabbitMQ has said that it isn't there, and would end the session over it.
    if reports[place].exists == false && dialect != .other { return next(&connection) }
    guard mayConsume else { return attachTarget(&connection) }
    var attach = Attach()
    attach.name = "probe-receive-\(place)"
    attach.role = .receiver
    attach.source = Source(address: addresses[place].text(for: dialect))
    attach.target = Target(address: attach.name)
    step = .source(connection.attach(attach))
  }

  /// The last consumer that leaves an auto-delete queue takes it along, and an exclusive one is somebody else's.
  private var mayConsume: Bool {
    let node = reports[place]
    switch dialect {
    case .rabbitMQ4: return node.exists == true && node.isAutoDelete == false && node.isExclusive == false
    case .rabbitMQ3: return node.consumers ?? 0 > 0
    case .other: return true
    case .amqp091: return false
    }
  }

  private mutating func attachTarget(_ connection: inout Connection) {
    if reports[place].exists == false && dialect != .other { return next(&connection) }
    var attach = Attach()
    attach.name = "probe-send-\(place)"
    attach.role = .sender
    attach.source = Source(address: attach.name)
    attach.target = Target(address: addresses[place].text(for: dialect))
    step = .target(connection.attach(attach), creditBy: nil)
  }

  private static func terminus(_ attach: Attach, _ role: Role) -> NodeReport.Terminus {
    var terminus = NodeReport.Terminus()
    terminus.linkCapabilities = attach.offeredCapabilities
    terminus.sndSettleMode = attach.sndSettleMode
    terminus.rcvSettleMode = attach.rcvSettleMode
    terminus.maxMessageSize = attach.maxMessageSize == 0 ? nil : attach.maxMessageSize
    if role == .receiver, let source = attach.source {
      terminus.address = source.address.text
      terminus.capabilities = source.capabilities
      (terminus.durable, terminus.expiryPolicy) = (source.durable, source.expiryPolicy)
      terminus.filters = (source.filter.entries ?? []).compactMap(\.key.text)
      terminus.outcomes = source.outcomes
      terminus.distributionMode = source.distributionMode
    } else if role == .sender, let target = attach.target {
      terminus.address = target.address.text
      terminus.capabilities = target.capabilities
      (terminus.durable, terminus.expiryPolicy) = (target.durable, target.expiryPolicy)
    }
    return terminus
  }

  // MARK: What is known now

  private mutating func found(_ capabilities: [String]) {
    reports[place].exists = true
    reports[place].failure = nil
    if reports[place].type == nil { reports[place].type = capabilities.first { $0 == "queue" || $0 == "topic" } }
  }

  private mutating func declared(_ i: Int, _ connection: borrowing Connection) {
    reports[i].exists = true
    if case .exchange? = NodeProbe.declaration(addresses[i]) {
      reports[i].type = "exchange"
      return
    }
    reports[i].type = reports[i].type ?? "queue"
    guard let queue = connection.declaredQueue else { return }
    reports[i].messages = UInt64(queue.messages)
    reports[i].consumers = UInt64(queue.consumers)
  }

  private mutating func managed(_ management: Management, _ explanation: Explanation) {
    for (i, outcome) in zip(asked, management.outcomes) {
      switch outcome {
      case .failure(let error):
        refused(i, CloseReason(.link, .peer, error), explanation)
      case .success(let body):
        reports[i].exists = true
        reports[i].failure = nil
        reports[i].type = body["type"]?.text ?? reports[i].type
        reports[i].messages = body["message_count"]?.unsigned ?? reports[i].messages
        reports[i].consumers = body["consumer_count"]?.unsigned ?? reports[i].consumers
        reports[i].isDurable = body["durable"]?.bool
        reports[i].isExclusive = body["exclusive"]?.bool
        reports[i].isAutoDelete = body["auto_delete"]?.bool
        reports[i].leader = body["leader"]?.text
        reports[i].replicas = body["replicas"]?.symbols ?? []
        reports[i].arguments = body["arguments"] ?? .null
      }
    }
  }

  private mutating func refused(_ i: Int, _ reason: CloseReason, _ explanation: Explanation) {
    var explanation = explanation
    explanation.action = "find '\(reports[i].name)'"
    var failure = explanation.failure(reason)
    // It may be there and go by another name.
    let isMisnamed = reason.error?.condition == Condition.invalidField
    // Making it is another command's business.
    if failure.exitCode == .noSuchAddress && !isMisnamed { failure.nextStep = nil }
    // What was found before is there.
    if reports[i].exists == true {
      if isMisnamed { reports[i].failure = failure }
      return
    }
    if failure.exitCode == .noSuchAddress { reports[i].exists = false }
    if reason.error?.condition == ReplyCode.resourceLocked.condition { reports[i].exists = true }
    reports[i].failure = failure
  }
}
