"""AMQP 0-9-1: peer to peer, and beside rabbitmq-c's tools and pika at RabbitMQ."""
from harness import *

D = ("--protocol", "0-9-1")


def p2p091():
    n, m = (100_000, 50_000) if options.quick else (1_000_000, 300_000)
    source = lines(n)
    kinds = {"at-least-once": [], "at-most-once": []}
    theirs = []
    for _ in range(options.runs):
        for mode, results in kinds.items():
            results.append(ours(n, source, "--mode", mode, send=("q", "-l", *D)))
        if PROTON:
            theirs.append(proton(m))
    print(f"\n**Peer to peer over 0-9-1**, {n:,} messages of 100 octets (Proton's C `send` → `direct`, over 1.0: {m:,})")
    table("", "messages", "× Proton", "CPU sender", "CPU receiver", "RSS sender", "RSS receiver")
    base = medians(theirs, m) if theirs else None
    for mode, results in kinds.items():
        w, a, b, c, d = medians(results, n)
        times = f"{n / w / (m / base[0]):.1f}" if base else "–"
        row(mode, rate(n, w), times, f"{a:.2f} µs", f"{b:.2f} µs", f"{c:.0f} MB", f"{d:.0f} MB")


def one091():
    for node, url in (("rabbitmq3", RABBIT3), ("rabbitmq4", RABBIT4)):
        if not url:
            print(f"\n(no {node}: one message over 0-9-1 not measured)")
            continue
        queue("one", node)
        send = [options.amqp, "send", "-u", url, *D, "--transient", "one", "hello"]
        commands = {
            "amqp send --transient, confirmed": (send, ENV),
            "amqp send --transient, at-most-once": ([*send, "--mode", "at-most-once"], ENV),
            "amqp-publish (no confirm)": (["amqp-publish", "-u", url, "-r", "one", "-b", "hello"], ENV),
        }
        walls = whole(commands, 20 if options.quick else 200)
        print(f"\n**One message over 0-9-1 to {node}**, whole process")
        one_table(walls, "amqp-publish (no confirm)")


def publish091():
    if not RABBIT3:
        return print("\n(no RabbitMQ 3.10: 200,000 lines over 0-9-1 not measured)")
    n = 20_000 if options.quick else 200_000
    source = lines(n)
    # amqp-publish says nothing of delivery-mode, which means transient.
    send = [options.amqp, "send", "-u", RABBIT3, *D, "lines", "-l"]
    commands = {
        "amqp send -l --transient (confirmed)": [*send, "--transient"],
        "amqp send -l --transient, at-most-once": [*send, "--transient", "--mode", "at-most-once"],
        "amqp-publish -l (no confirms)": ["amqp-publish", "-u", RABBIT3, "-r", "lines", "-l"],
        "amqp send -l (durable, confirmed)": send,
        "amqp-publish -l -p (persistent, no confirms)": ["amqp-publish", "-u", RABBIT3, "-r", "lines", "-l", "-p"],
    }
    # Where confirms cost the broker's queue next to nothing, and where it has to say each to the channel.
    for kind in ("quorum", "classic"):
        results = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, argv in commands.items():
                queue("lines", "rabbitmq3", kind)
                results[name].append(Process(argv, stdin=source).wait())
        report(f"{n:,} lines of 100 octets into a {kind} queue of RabbitMQ 3.10 over 0-9-1", results,
               {name: n for name in results})
    queue("lines", "rabbitmq3")


PIKA = """
import os, sys, pika
from pika import BlockingConnection, URLParameters
url, queue, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
channel = BlockingConnection(URLParameters(url)).channel()
channel.basic_qos(prefetch_count=500)
out, got = open(os.devnull, "wb"), 0
for method, properties, body in channel.consume(queue):
    out.write(body + b"\\n")
    got += 1
    if got % 250 == 0 or got == n:
        channel.basic_ack(method.delivery_tag, multiple=True)
    if got == n:
        break
channel.connection.close()
"""


def consume091():
    python = ENV.get("AMQP_TEST_PIKA")
    if not (RABBIT3 and python):
        return print("\n(no RabbitMQ 3.10 or pika: reading over 0-9-1 not measured)")
    n = 20_000 if options.quick else 200_000
    few = n // 100
    with open(f"{WORK}/consume.py", "w") as f:
        f.write(PIKA)
    receive = [options.amqp, "receive", "-u", RABBIT3, *D, "lines", "-c", str(n)]
    commands = {
        "amqp receive": (receive, n),
        "amqp receive, at-most-once": ([*receive, "--mode", "at-most-once"], n),
        "pika, prefetch 500, acks by 250": ([python, f"{WORK}/consume.py", RABBIT3, "lines", str(n)], n),
        "amqp-consume cat": (["amqp-consume", "-u", RABBIT3, "-q", "lines", "-p", "500", "-c", str(few), "cat"], few),
    }
    results = {name: [] for name in commands}
    for _ in range(options.runs):
        for name, (argv, count) in commands.items():
            queue("lines", "rabbitmq3")
            Process([options.amqp, "send", "-u", RABBIT3, *D, "lines", "-l"], stdin=lines(count)).wait()
            results[name].append(Process(argv).wait())
    queue("lines", "rabbitmq3")
    report(f"{n:,} messages of 100 octets out of RabbitMQ 3.10 over 0-9-1, to /dev/null ({few:,} by amqp-consume)", results,
           {name: count for name, (_, count) in commands.items()})


def report(title, results, counts):
    print(f"\n**{title}**")
    table("", "wall", "messages", "client CPU a message", "RSS")
    for name, values in results.items():
        w, n = statistics.median(v.wall for v in values), counts[name]
        row(name, f"{w:.2f} s", rate(n, w), f"{statistics.median(v.cpu for v in values) / n * 1e6:.2f} µs",
            f"{max(v.rss for v in values):.0f} MB")
