"""`receive --forward`: peer to peer through one process, and from queue to queue of RabbitMQ 4 beside a shovel of pika's."""
from harness import *


def through(n, source, *flags):
    """Ours serves, ours forwards, ours takes: the wall time from the forwarder's start, and the forwarder."""
    out, into = port(), port()
    sink = Process([options.amqp, "receive", "--listen", into, "-c", str(n)], stdout=f"{WORK}/out", ready=b"listening")
    feed = Process([options.amqp, "send", "--listen", out, "-l"], stdin=source, ready=b"listening")
    start = time.monotonic()
    middle = Process([options.amqp, "receive", "-u", f"amqp://127.0.0.1:{out}", "q", "-c", str(n),
                      "--forward", "q", "--forward-url", f"amqp://127.0.0.1:{into}", *flags]).wait()
    sink.wait(), feed.wait()
    return time.monotonic() - start, middle


def forward():
    n = 50_000 if options.quick else 500_000
    kinds = {"1.0 → 1.0, 100 octets": (n, 100, ()), "1.0 → 0-9-1, 100 octets": (n, 100, ("--forward-protocol", "0-9-1")),
             "0-9-1 → 1.0, 100 octets": (n, 100, ("--protocol", "0-9-1", "--forward-protocol", "1.0")),
             "0-9-1 → 0-9-1, 100 octets": (n, 100, ("--protocol", "0-9-1", "--forward-protocol", "0-9-1")),
             "1.0 → 1.0, 10,000 octets": (n // 20, 10_000, ()), "1.0 → 1.0, 1,000,000 octets": (n // 2_500, 1_000_000, ())}
    results = {name: [] for name in kinds}
    for _ in range(options.runs):
        for name, (count, size, flags) in kinds.items():
            results[name].append(through(count, lines(count, size), *flags))
    print("\n**Forward**, one of ours serves, one forwards, one takes; CPU and memory of the one in the middle")
    table("", "messages", "octets a second", "CPU a message", "RSS")
    for name, (count, size, _) in kinds.items():
        wall = statistics.median(r[0] for r in results[name])
        cpu = statistics.median(r[1].cpu for r in results[name]) / count * 1e6
        row(name, rate(count, wall), f"{count * size / wall / 1e6:,.0f} MB/s", f"{cpu:.2f} µs",
            f"{max(r[1].rss for r in results[name]):.0f} MB")
