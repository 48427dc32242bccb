/// Typed views of the frames of part 2 and part 5 that the machines touch. Each is made from a `Record` and makes one;
/// a test holds every view against its row.

package struct Open: Sendable, Equatable {
  package var containerID = ""
  package var hostname: String?
  package var maxFrameSize: UInt32 = .max
  package var channelMax: UInt16 = .max
  /// Milliseconds; nil or 0: never.
  package var idleTimeOut: UInt32?
  package var offeredCapabilities: [String] = []
  package var desiredCapabilities: [String] = []
  package var properties: Value = .null

  package init() {}

  package init(_ r: Record) {
    containerID = r[0].text ?? ""
    hostname = r[1].text
    maxFrameSize = r[2].u32 ?? .max
    channelMax = r[3].u16 ?? .max
    idleTimeOut = r[4].u32
    offeredCapabilities = r[7].symbols
    desiredCapabilities = r[8].symbols
    properties = r[9]
  }

  package var record: Record {
    Record(
      Code.open,
      [
        .string(containerID), Value(hostname), maxFrameSize == .max ? .null : .uint(maxFrameSize),
        channelMax == .max ? .null : .ushort(channelMax), Value(idleTimeOut), .null, .null,
        Value(symbols: offeredCapabilities), Value(symbols: desiredCapabilities), properties,
      ])
  }
}

package struct Begin: Sendable, Equatable {
  package var remoteChannel: UInt16?
  package var nextOutgoingID: UInt32 = 0
  package var incomingWindow: UInt32 = 0
  package var outgoingWindow: UInt32 = 0
  package var handleMax: UInt32 = .max
  package var properties: Value = .null

  package init() {}

  package init(_ r: Record) {
    remoteChannel = r[0].u16
    nextOutgoingID = r[1].u32 ?? 0
    incomingWindow = r[2].u32 ?? 0
    outgoingWindow = r[3].u32 ?? 0
    handleMax = r[4].u32 ?? .max
    properties = r[7]
  }

  package var record: Record {
    Record(
      Code.begin,
      [
        remoteChannel.map { .ushort($0) } ?? .null, .uint(nextOutgoingID), .uint(incomingWindow), .uint(outgoingWindow),
        handleMax == .max ? .null : .uint(handleMax), .null, .null, properties,
      ])
  }
}

/// `false` on the wire is the sender.
package enum Role: Sendable, Equatable {
  case sender, receiver
  package var value: Value { .boolean(self == .receiver) }
  package init(_ isReceiver: Bool) { self = isReceiver ? .receiver : .sender }
}

package enum SenderSettleMode: UInt8, Sendable { case unsettled = 0, settled = 1, mixed = 2 }
package enum ReceiverSettleMode: UInt8, Sendable { case first = 0, second = 1 }

package struct Attach: Sendable, Equatable {
  package var name = ""
  package var handle: UInt32 = 0
  package var role = Role.sender
  package var sndSettleMode = SenderSettleMode.mixed
  package var rcvSettleMode = ReceiverSettleMode.first
  package var source: Source?
  package var target: Target?
  package var unsettled: Value = .null
  package var incompleteUnsettled = false
  /// Mandatory from a sender; some send none.
  package var initialDeliveryCount: UInt32?
  package var maxMessageSize: UInt64?
  package var offeredCapabilities: [String] = []
  package var desiredCapabilities: [String] = []
  package var properties: Value = .null

  package init() {}

  package init(_ r: Record) {
    name = r[0].text ?? ""
    handle = r[1].u32 ?? 0
    role = Role(r[2].bool ?? false)
    sndSettleMode = r[3].u8.flatMap(SenderSettleMode.init(rawValue:)) ?? .mixed
    rcvSettleMode = r[4].u8.flatMap(ReceiverSettleMode.init(rawValue:)) ?? .first
    source = Record(r[5]).map { Source($0) }
    target = Record(r[6]).map { Target($0) }
    unsettled = r[7]
    incompleteUnsettled = r[8].bool ?? false
    initialDeliveryCount = r[9].u32
    maxMessageSize = r[10].unsigned
    offeredCapabilities = r[11].symbols
    desiredCapabilities = r[12].symbols
    properties = r[13]
  }

  package var record: Record {
    Record(
      Code.attach,
      [
        .string(name), .uint(handle), role.value, sndSettleMode == .mixed ? .null : .ubyte(sndSettleMode.rawValue),
        rcvSettleMode == .first ? .null : .ubyte(rcvSettleMode.rawValue), source?.record.value ?? .null,
        target?.record.value ?? .null, unsettled, incompleteUnsettled ? .boolean(true) : .null,
        Value(initialDeliveryCount), maxMessageSize.map { .ulong($0) } ?? .null, Value(symbols: offeredCapabilities),
        Value(symbols: desiredCapabilities), properties,
      ])
  }
}

package struct Flow: Sendable, Equatable {
  package var nextIncomingID: UInt32?
  package var incomingWindow: UInt32 = 0
  package var nextOutgoingID: UInt32 = 0
  package var outgoingWindow: UInt32 = 0
  /// Nil: the flow is about the session alone.
  package var handle: UInt32?
  package var deliveryCount: UInt32?
  package var linkCredit: UInt32?
  package var available: UInt32?
  package var drain = false
  package var echo = false
  package var properties: Value = .null

  package init() {}

  package init(_ r: Record) {
    nextIncomingID = r[0].u32
    incomingWindow = r[1].u32 ?? 0
    nextOutgoingID = r[2].u32 ?? 0
    outgoingWindow = r[3].u32 ?? 0
    handle = r[4].u32
    deliveryCount = r[5].u32
    linkCredit = r[6].u32
    available = r[7].u32
    drain = r[8].bool ?? false
    echo = r[9].bool ?? false
    properties = r[10]
  }

  package var record: Record {
    Record(
      Code.flow,
      [
        Value(nextIncomingID), .uint(incomingWindow), .uint(nextOutgoingID), .uint(outgoingWindow), Value(handle),
        Value(deliveryCount), Value(linkCredit), Value(available), drain ? .boolean(true) : .null,
        echo ? .boolean(true) : .null, properties,
      ])
  }
}

package struct Transfer: Sendable, Equatable {
  package var handle: UInt32 = 0
  package var deliveryID: UInt32?
  /// At most 32 octets.
  package var deliveryTag: [UInt8]?
  package var messageFormat: UInt32?
  package var settled: Bool?
  package var more = false
  package var rcvSettleMode: ReceiverSettleMode?
  package var state: Value = .null
  package var resume = false
  package var aborted = false
  package var batchable = false

  package init() {}

  package init(_ r: Record) {
    handle = r[0].u32 ?? 0
    deliveryID = r[1].u32
    if case .binary(let tag) = r[2] { deliveryTag = tag }
    messageFormat = r[3].u32
    settled = r[4].bool
    more = r[5].bool ?? false
    rcvSettleMode = r[6].u8.flatMap(ReceiverSettleMode.init(rawValue:))
    state = r[7]
    resume = r[8].bool ?? false
    aborted = r[9].bool ?? false
    batchable = r[10].bool ?? false
  }

  package var record: Record {
    Record(
      Code.transfer,
      [
        .uint(handle), Value(deliveryID), deliveryTag.map { .binary($0) } ?? .null, Value(messageFormat),
        settled.map { .boolean($0) } ?? .null, more ? .boolean(true) : .null,
        rcvSettleMode.map { .ubyte($0.rawValue) } ?? .null, state, resume ? .boolean(true) : .null,
        aborted ? .boolean(true) : .null, batchable ? .boolean(true) : .null,
      ])
  }
}

package struct Disposition: Sendable, Equatable {
  package var role = Role.receiver
  package var first: UInt32 = 0
  /// Nil: `first` alone.
  package var last: UInt32?
  package var settled = false
  package var state: Value = .null
  package var batchable = false

  package init() {}

  package init(_ r: Record) {
    role = Role(r[0].bool ?? false)
    first = r[1].u32 ?? 0
    last = r[2].u32
    settled = r[3].bool ?? false
    state = r[4]
    batchable = r[5].bool ?? false
  }

  package var record: Record {
    Record(
      Code.disposition,
      [
        role.value, .uint(first), Value(last), settled ? .boolean(true) : .null, state,
        batchable ? .boolean(true) : .null,
      ])
  }
}

package struct Detach: Sendable, Equatable {
  package var handle: UInt32 = 0
  package var closed = false
  package var error: AMQPError?

  package init() {}

  package init(_ r: Record) {
    handle = r[0].u32 ?? 0
    closed = r[1].bool ?? false
    error = AMQPError(r[2])
  }

  package var record: Record {
    Record(Code.detach, [.uint(handle), closed ? .boolean(true) : .null, error?.record.value ?? .null])
  }
}

/// The error of part 2 §2.8.14, in detach, end, close and rejected.
package struct AMQPError: Sendable, Equatable, Error {
  package var condition: String
  package var description: String?
  /// A map, or null.
  package var info: Value = .null

  package init(_ condition: String, _ description: String? = nil, info: Value = .null) {
    (self.condition, self.description, self.info) = (condition, description, info)
  }

  /// Nil when `value` is not an error, null above all.
  package init?(_ value: Value) {
    guard let r = Record(value), r.code == Code.error else { return nil }
    self.init(r[0].text ?? "", r[1].text, info: r[2])
  }

  package var record: Record { Record(Code.error, [.symbol(condition), Value(description), info]) }
}

/// Part 5 §5.3.3.6.
package enum SASLCode: UInt8, Sendable { case ok = 0, auth, sys, sysPerm, sysTemp }

extension Value {
  package init(_ text: String?) { self = text.map { .string($0) } ?? .null }
  package init(_ number: UInt32?) { self = number.map { .uint($0) } ?? .null }

  package var u8: UInt8? { if case .ubyte(let v) = self { v } else { nil } }
  package var u16: UInt16? { if case .ushort(let v) = self { v } else { nil } }
  package var u32: UInt32? { if case .uint(let v) = self { v } else { nil } }
}
