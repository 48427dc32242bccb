import Glibc
import Testing

@testable import Transport

/// To the whole process: the threads tests run on block every signal.
private func send(_ signal: Int32) { kill(getpid(), signal) }

/// Signals belong to the whole process, so each test has one of its own.
@Suite struct SignalsTests {
  @Test func requestsToStopAreCounted() async {
    await #expect(processExitsWith: .success) {
      let signals = try Signals(children: true)
      guard signals.first == nil, signals.count == 0 else { exit(1) }
      send(SIGTERM)
      try wait(signals.number, read: true)
      try signals.take()
      send(SIGINT)
      send(SIGCHLD)
      while signals.count < 2 || !signals.childChanged {
        try wait(signals.number, read: true)
        try signals.take()
      }
      guard signals.first == .terminate, signals.count == 2, signals.childChanged else { exit(2) }
      try signals.take()
      guard signals.count == 2, signals.first?.exitStatus == 143 else { exit(3) }
      send(SIGPIPE)
    }
  }

  @Test func whatWasIgnoredStaysIgnored() async {
    await #expect(processExitsWith: .success) {
      signal(SIGHUP, SIG_IGN)
      let signals = try Signals()
      send(SIGHUP)
      // The pipe keeps their order: had the first been caught, it would be the first.
      send(SIGTERM)
      try wait(signals.number, read: true)
      try signals.take()
      guard signals.first == .terminate, signals.count == 1 else { exit(1) }
    }
  }

  @Test func theParentSeesTheSignal() async {
    await #expect(processExitsWith: .signal(SIGINT)) {
      let signals = try Signals()
      send(SIGINT)
      try wait(signals.number, read: true)
      try signals.take()
      signals.die(by: signals.first!)
    }
  }

  @Test func afterwardsAllIsAsBefore() async {
    await #expect(processExitsWith: .signal(SIGTERM)) {
      do {
        let signals = try Signals()
        send(SIGTERM)
        try wait(signals.number, read: true)
        try signals.take()
      }
      _ = try Signals()
      send(SIGTERM)
      let silent = try Pipe()
      try wait(silent.reader.number, read: true)
    }
  }
}
