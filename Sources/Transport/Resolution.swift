// One name being resolved while the loop goes on: the blocking call runs on a thread of its own, and closing its end of a
// pipe says that it is done. Dropping the resolution leaves the thread to finish into nothing.
internal import Glibc

package final class Resolution {
  /// Poll this for reading.
  package var number: Int32 { done.number }
  private let done: Descriptor
  private let work: Work

  package init(of endpoint: Endpoint) throws(Errno) {
    let pipe = try Pipe()
    done = pipe.reader
    work = Work(endpoint, doneWriter: pipe.writer.release())
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(work)
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument { unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, argument.toOpaque())
    guard code == 0 else {
      unsafe argument.release()
      _ = close(work.doneWriter)
      throw Errno("pthread_create", code: code)
    }
    pthread_detach(thread)
  }

  /// Nil while the answer is still out.
  package func take() -> Result<[SocketAddress], ResolveError>? {
    done.pollNow(Int16(POLLIN)) == 0 ? nil : work.result
  }
}

/// Shared by the loop and the thread: `result` is written before the pipe is closed and read only after.
private final class Work: @unchecked Sendable {
  let endpoint: Endpoint
  let doneWriter: Int32
  var result: Result<[SocketAddress], ResolveError>?

  init(_ endpoint: Endpoint, doneWriter: Int32) {
    self.endpoint = endpoint
    self.doneWriter = doneWriter
  }

  func run() {
    do throws(ResolveError) {
      result = .success(try Resolver.addresses(of: endpoint))
    } catch {
      result = .failure(error)
    }
    _ = close(doneWriter)
  }
}
