import Glibc
import Synchronization
import Testing

@testable import Transport

@Suite struct PollSetTests {
  private func told(
    _ poll: borrowing PollSet, _ token: PollSet.Token
  ) -> (readable: Bool, writable: Bool, hungUp: Bool) {
    (poll.readable(token), poll.writable(token), poll.hungUp(token))
  }

  @Test func readinessByToken() throws {
    let (near, far) = try Socket.pair()
    var poll = PollSet()
    for turn in 0..<3 {
      poll.removeAll()
      let reading = poll.add(near.number, read: true)
      let writing = poll.add(near.number, write: true)
      let both = poll.add(far.number, read: true, write: true)
      try poll.wait(now: 0, until: nil)
      #expect(told(poll, reading).readable == (turn > 0))
      #expect(told(poll, reading).writable == false)
      #expect(told(poll, writing).writable == true)
      #expect(told(poll, both).writable == true)
      #expect(told(poll, both).readable == false)
      if turn == 0 { #expect(try far.write([1].span) == .bytes(1)) }
    }
  }

  @Test func aHangUpIsToldToThoseWhoAskedForSomething() throws {
    let pipe = PlainPipe()
    let number = dup(pipe.reader.number)
    defer { close(number) }
    var poll = PollSet()
    drop(pipe)
    let asked = poll.add(number, read: true)
    let watching = poll.add(number, hangUp: true)
    let indifferent = poll.add(number)
    try poll.wait(now: 0, until: nil)
    #expect(told(poll, asked).readable == true)
    #expect(told(poll, watching).hungUp == true)
    #expect(told(poll, watching).readable == false)
    #expect(told(poll, indifferent).hungUp == false)

    // With nobody interested it would have returned at once again and again.
    poll.removeAll()
    let alone = poll.add(number)
    let start = Clock.now
    try poll.wait(now: start, until: start + 3_000_000)
    #expect(Clock.now - start >= 3_000_000)
    #expect(told(poll, alone).readable == false)
  }

  private func drop(_ pipe: consuming PlainPipe) {}

  @Test func deadlines() throws {
    var poll = PollSet()
    let start = Clock.now
    try poll.wait(now: start, until: start - 1)
    try poll.wait(now: start, until: .min)
    // Rounded up, so never early.
    try poll.wait(now: start, until: start + 1_000_001)
    #expect(Clock.now - start >= 1_000_001)
  }

  /// A signal ends the wait and is no error. The other thread sends it until that has been seen.
  @Test func aSignalEndsTheWait() throws {
    signal(SIGURG, { _ in })
    // The threads tests run on block every signal.
    var unblocked = sigset_t()
    var before = sigset_t()
    sigemptyset(&unblocked)
    sigaddset(&unblocked, SIGURG)
    pthread_sigmask(SIG_UNBLOCK, &unblocked, &before)
    defer {
      pthread_sigmask(SIG_SETMASK, &before, nil)
      signal(SIGURG, SIG_DFL)
    }
    let sender = Sender(target: pthread_self())
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(sender).toOpaque()
    try #require(
      pthread_create(&thread, nil, { Unmanaged<Sender>.fromOpaque($0!).takeRetainedValue().run() }, argument) == 0)
    let (near, far) = try Socket.pair()
    var poll = PollSet()
    let token = poll.add(near.number, read: true)
    try poll.wait(now: 0, until: nil)
    sender.isOver.store(true, ordering: .relaxed)
    pthread_join(thread, nil)
    #expect(told(poll, token).readable == false)
    withExtendedLifetime(far) {}
  }

  private final class Sender: Sendable {
    let target: pthread_t
    let isOver = Atomic(false)

    init(target: pthread_t) { self.target = target }

    func run() -> UnsafeMutableRawPointer? {
      while !isOver.load(ordering: .relaxed) {
        pthread_kill(target, SIGURG)
        sched_yield()
      }
      return nil
    }
  }
}
