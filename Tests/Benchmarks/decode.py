"""`amqp decode` beside tshark on the same captures: CPU time, memory, start-up."""
import captures
from harness import *


def decode():
    size = 6_000_000 if options.quick else 60_000_000
    tshark = ENV.get("AMQP_TEST_TSHARK")
    if not tshark:
        return print("\n(no tshark: decode not measured)")
    kinds = {"1.0, 100 octets": lambda p: captures.amqp10(p, size, 100),
             "1.0, 4 KB": lambda p: captures.amqp10(p, size, 4096),
             "0-9-1, 20 octets": lambda p: captures.amqp091(p, size, 20)}
    for kind, write in kinds.items():
        path = f"{WORK}/capture.pcap"
        n = write(path)
        json = ["-T", "json", "-J", "amqp"]
        commands = {
            "amqp decode": ([options.amqp, "decode", path], None, "line"),
            "cat | amqp decode": ([options.amqp, "decode"], path, "line"),
            "tshark": ([tshark, "-r", path], None, "line"),
            "amqp decode -J": ([options.amqp, "decode", "-J", path], None, "json"),
            "tshark -T json -J amqp": ([tshark, "-r", path, *json], None, "json"),
        }
        results = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, (argv, source, _form) in commands.items():
                feed = subprocess.Popen(["cat", source], stdout=subprocess.PIPE) if source else None
                results[name].append(Process(argv, stdin=feed.stdout if feed else None).wait())
                if feed:
                    feed.wait()
        cpu = {name: statistics.median(v.cpu for v in values) for name, values in results.items()}
        base = {"line": cpu["tshark"], "json": cpu["tshark -T json -J amqp"]}
        print(f"\n**Decode**, {kind}: {n:,} frames in {os.path.getsize(path) / 1e6:.0f} MB, to /dev/null")
        table("", "CPU", "frames a second of CPU", "× tshark", "RSS")
        for name, (_, _, form) in commands.items():
            row(name, f"{cpu[name]:.2f} s", rate(n, max(cpu[name], 0.005)), f"{base[form] / max(cpu[name], 0.005):.1f}",
                f"{max(v.rss for v in results[name]):.0f} MB")
    frame = "0000001f02000000005314c008054343a001004341005377a10568656c6c6f"
    walls = whole({"amqp decode FRAME": ([options.amqp, "decode", frame], ENV), "/bin/true": (["/bin/true"], ENV)},
                  50 if options.quick else 400)
    a, b = (statistics.median(v) * 1e3 for v in walls.values())
    print(f"\n**Start-up**: `amqp decode FRAME` {a:.2f} ms, `/bin/true` {b:.2f} ms")
