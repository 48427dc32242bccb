"""AMQP 1.0: peer to peer beside Proton, one message and 200,000 beside amqp-publish, start-up."""
from harness import *


def p2p():
    n, m = (100_000, 50_000) if options.quick else (1_000_000, 300_000)
    source = lines(n)
    kinds = {"at-least-once": [], "at-most-once": [], "exactly-once": []}
    theirs = []
    for _ in range(options.runs):
        for mode, results in kinds.items():
            results.append(ours(n, source, "--mode", mode, send=("q", "-l")))
        if PROTON:
            theirs.append(proton(m))
    print(f"\n**Peer to peer**, {n:,} messages of 100 octets from lines on stdin (Proton's C `send` → `direct`: {m:,} of its own)")
    table("", "messages", "× Proton", "CPU sender", "CPU receiver", "RSS sender", "RSS receiver")
    base = medians(theirs, m) if theirs else None
    for mode, results in kinds.items():
        w, a, b, c, d = medians(results, n)
        times = f"{n / w / (m / base[0]):.1f}" if base else "–"
        row(mode, rate(n, w), times, f"{a:.2f} µs", f"{b:.2f} µs", f"{c:.0f} MB", f"{d:.0f} MB")
    if base:
        w, a, b, c, d = base
        row("Proton, at-least-once", rate(m, w), "1", f"{a:.2f} µs", f"{b:.2f} µs", f"{c:.0f} MB", f"{d:.0f} MB")


def tls():
    n = 100_000 if options.quick else 1_000_000
    kinds = {"amqp, 100 octets": ("amqp", n, 100), "amqps, 100 octets": ("amqps", n, 100),
             "amqp, 10,000 octets": ("amqp", n // 50, 10_000), "amqps, 10,000 octets": ("amqps", n // 50, 10_000)}
    results = {name: [] for name in kinds}
    for _ in range(options.runs):
        for name, (scheme, count, size) in kinds.items():
            results[name].append(ours(count, lines(count, size), send=("q", "-l"), scheme=scheme))
    print("\n**TLS beside clear text**, peer to peer, at-least-once")
    table("", "messages", "octets a second", "CPU sender", "CPU receiver", "RSS sender", "RSS receiver")
    for name, (_, count, size) in kinds.items():
        w, a, b, c, d = medians(results[name], count)
        row(name, rate(count, w), f"{count * size / w / 1e6:,.0f} MB/s", f"{a:.2f} µs", f"{b:.2f} µs", f"{c:.0f} MB", f"{d:.0f} MB")


def pipes():
    n = 100_000 if options.quick else 1_000_000
    source = lines(n)
    results = []
    for _ in range(options.runs):
        at = port()
        sink = Process(["sh", "-c", f"cat > {WORK}/out"], stdin=subprocess.PIPE)
        end = Process([options.amqp, "receive", "--listen", at, "-c", str(n)], stdout=sink.p.stdin, ready=b"listening")
        sink.p.stdin.close()
        feed = subprocess.Popen(["cat", source], stdout=subprocess.PIPE)
        start = time.monotonic()
        begin = Process([options.amqp, "send", "-u", f"amqp://127.0.0.1:{at}", "q", "-l"], stdin=feed.stdout).wait()
        end.wait()
        results.append((time.monotonic() - start, begin, end))
        feed.wait(), sink.p.wait()
    w, a, b, c, d = medians(results, n)
    print(f"\n**Pipes in and out**: {rate(n, w)}, CPU {a:.2f} and {b:.2f} µs a message, RSS {c:.0f} and {d:.0f} MB")


def credit():
    n = 50_000 if options.quick else 500_000
    source = lines(n)
    print(f"\n**Credit and window**, {n:,} messages of 100 octets, at-least-once")
    table("", "100", "500", "1,000", "4,000", "8,192", "default")
    for name, make in (("--credit", lambda v: dict(receive=("--credit", v))), ("--window", lambda v: dict(send=("--window", v)))):
        cells = []
        for v in ("100", "500", "1000", "4000", "8192", None):
            extra = make(v) if v else {}
            send = ("q", "-l", *extra.get("send", ()))
            results = [ours(n, source, send=send, receive=extra.get("receive", ())) for _ in range(options.runs)]
            cells.append(rate(n, medians(results, n)[0]))
        row(f"`{name}`", *cells)


def links():
    n = 20_000 if options.quick else 200_000
    print(f"\n**Links**, {n:,} messages of 100 octets by `send -J`, each to one of so many addresses")
    table("links", "messages", "CPU sender", "CPU receiver", "RSS sender", "RSS receiver")
    for count in (1, 10, 100):
        path = f"{WORK}/links-{count}"
        with open(path, "w") as f:
            for i in range(n):
                f.write('{"address":"q%d","body":{"text":"%s"}}\n' % (i % count, "x" * 100))
        w, a, b, c, d = medians([ours(n, path, send=("-J",)) for _ in range(options.runs)], n)
        row(count, rate(n, w), f"{a:.2f} µs", f"{b:.2f} µs", f"{c:.0f} MB", f"{d:.0f} MB")


def sizes():
    print("\n**Message sizes**, at-least-once")
    table("octets", "count", "messages", "octets a second", "CPU sender", "CPU receiver", "RSS sender", "RSS receiver")
    for size, n in ((0, 200_000), (10, 200_000), (100, 200_000), (1_000, 100_000), (10_000, 20_000), (100_000, 3_000),
                    (1_000_000, 300), (10_000_000, 30), (100_000_000, 3)):
        if options.quick:
            n = max(1, n // 10)
        path = f"{WORK}/body-{size}"
        with open(path, "wb") as f:
            f.write(os.urandom(size))
        results = [ours(n, None, send=("q", "--file", path, "-c", str(n)), receive=("--raw",)) for _ in range(options.runs)]
        os.remove(path)
        w, a, b, c, d = medians(results, n)
        row(f"{size:,}", f"{n:,}", rate(n, w), f"{n * size / w / 1e6:,.0f} MB/s", f"{a:,.2f} µs", f"{b:,.2f} µs",
            f"{c:.0f} MB", f"{d:.0f} MB")


def one():
    if not RABBIT4:
        return print("\n(no RabbitMQ 4: one message not measured)")
    queue("one")
    host, at = hostport(RABBIT4)
    credentials = dict(ENV, PROTON_USER="guest", PROTON_PASSWORD="guest")
    commands = {
        "amqp send /queues/one": ([options.amqp, "send", "-u", RABBIT4, "/queues/one", "hello"], ENV),
        "amqp send one": ([options.amqp, "send", "-u", RABBIT4, "one", "hello"], ENV),
        "amqp send one, at-most-once": ([options.amqp, "send", "-u", RABBIT4, "one", "hello", "--mode", "at-most-once"], ENV),
        "amqp-publish (0-9-1, no confirm)": (["amqp-publish", "-u", RABBIT4, "-r", "one", "-b", "hello"], ENV),
        "Proton C send": ([f"{PROTON}/send", host, at, "/queues/one", "1"], credentials),
    }
    walls = whole(commands, 20 if options.quick else 200)
    print("\n**One message to RabbitMQ 4**, whole process")
    one_table(walls, "amqp-publish (0-9-1, no confirm)")


def rabbit():
    if not RABBIT4:
        return print("\n(no RabbitMQ 4: 200,000 lines not measured)")
    n = 20_000 if options.quick else 200_000
    source = lines(n)
    results = {"amqp send -l (accepted)": [], "amqp-publish -l (no confirms)": [], "amqp receive": []}
    for _ in range(options.runs):
        queue("rabbit")
        results["amqp send -l (accepted)"].append(Process([options.amqp, "send", "-u", RABBIT4, "rabbit", "-l"], stdin=source).wait())
        out = Process([options.amqp, "receive", "-u", RABBIT4, "rabbit", "-c", str(n)], stdout=f"{WORK}/out").wait()
        results["amqp receive"].append(out)
        if open(source, "rb").read() != open(f"{WORK}/out", "rb").read():
            sys.exit("what came out of the queue is not what went in")
        queue("rabbit")
        results["amqp-publish -l (no confirms)"].append(
            Process(["amqp-publish", "-u", RABBIT4, "-r", "rabbit", "-l"], stdin=source).wait())
    queue("rabbit")
    print(f"\n**{n:,} lines of 100 octets into a RabbitMQ 4 queue and out again**")
    table("", "wall", "messages", "client CPU a message", "RSS")
    for name, values in results.items():
        w = statistics.median(v.wall for v in values)
        row(name, f"{w:.2f} s", rate(n, w), f"{statistics.median(v.cpu for v in values) / n * 1e6:.2f} µs",
            f"{max(v.rss for v in values):.0f} MB")


def start():
    walls = whole({"amqp --version": ([options.amqp, "--version"], ENV), "/bin/true": (["/bin/true"], ENV)},
                  50 if options.quick else 400)
    a, b = (statistics.median(v) * 1e3 for v in walls.values())
    print(f"\n**Start-up**: `amqp --version` {a:.2f} ms, `/bin/true` {b:.2f} ms, difference {a - b:.2f} ms "
          f"(both include what starting a process from here costs)")
