"""What `send` has around the plain case: requests and replies, and a pace that is kept."""
from harness import *

RESPONDER = """
import sys, pika
channel = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel()
channel.basic_qos(prefetch_count=500)
print("ready", file=sys.stderr, flush=True)
n = int(sys.argv[3])
for method, properties, body in channel.consume(sys.argv[2]):
    to = properties.reply_to.removeprefix("/queues/")
    channel.basic_publish("", to, body, pika.BasicProperties(correlation_id=properties.correlation_id))
    channel.basic_ack(method.delivery_tag)
    n -= 1
    if not n:
        break
channel.connection.close()
"""

# The usual request loop: one at a time over direct reply-to, or (in flight > 1) as many as may be without a reply.
REQUESTER = """
import sys, pika
channel = pika.BlockingConnection(pika.URLParameters(sys.argv[1])).channel()
n, flight = int(sys.argv[3]), int(sys.argv[4])
sent = got = 0
def on_reply(channel, method, properties, body):
    global got
    got += 1
channel.basic_consume("amq.rabbitmq.reply-to", on_reply, auto_ack=True)
while got < n:
    while sent < n and sent - got < flight:
        channel.basic_publish("", sys.argv[2], b"x" * 100,
                              pika.BasicProperties(reply_to="amq.rabbitmq.reply-to", correlation_id=str(sent)))
        sent += 1
    channel.connection.process_data_events(time_limit=1)
channel.connection.close()
"""


def request():
    python = ENV.get("AMQP_TEST_PIKA")
    if not (RABBIT3 and RABBIT4 and python):
        return print("\n(no RabbitMQ or pika: requests not measured)")
    n = 500 if options.quick else 5_000
    for name, text in (("responder", RESPONDER), ("requester", REQUESTER)):
        with open(f"{WORK}/{name}.py", "w") as f:
            f.write(text)
    source = lines(n)
    for node, url in (("rabbitmq3", RABBIT3), ("rabbitmq4", RABBIT4)):
        def ours_at(window, *flags):
            return [options.amqp, "send", "-u", url, "rpc", "-l", "--transient", "--request", "--window", str(window), *flags]
        def pika_at(flight):
            return [python, f"{WORK}/requester.py", url, "rpc", str(n), str(flight)]
        commands = {
            "amqp send --request, 0-9-1, one at a time": ours_at(1, "--protocol", "0-9-1"),
            "pika, direct reply-to, one at a time": pika_at(1),
            "amqp send --request, 0-9-1, 100 in flight": ours_at(100, "--protocol", "0-9-1"),
            "pika, direct reply-to, 100 in flight": pika_at(100),
        }
        if node == "rabbitmq4":
            commands["amqp send --request, 1.0, one at a time"] = ours_at(1, "--protocol", "1.0")
            commands["amqp send --request, 1.0, 100 in flight"] = ours_at(100, "--protocol", "1.0")
        results = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, argv in commands.items():
                queue("rpc", node)
                responder = Process([python, f"{WORK}/responder.py", url, "rpc", str(n)], ready=b"ready")
                results[name].append(Process(argv, stdin=source).wait())
                responder.wait()
        queue("rpc", node)
        print(f"\n**{n:,} requests of 100 octets through {node}**, answered by a pika loop")
        table("", "wall", "round trips", "client CPU each", "RSS")
        for name, values in results.items():
            w = statistics.median(v.wall for v in values)
            row(name, f"{w:.2f} s", rate(n, w), f"{statistics.median(v.cpu for v in values) / n * 1e6:.0f} µs",
                f"{max(v.rss for v in values):.0f} MB")


def pace():
    """How true --rate is: messages in ten seconds, and the most in any tenth of one, as the receiver sees them."""
    table("`--rate`, 10 s", "sent", "off by", "most in 100 ms", "CPU sender")
    for wanted in (10, 100, 1_000, 10_000, 100_000):
        seconds = 2 if options.quick else 10
        at, out = port(), f"{WORK}/pace"
        end = Process([options.amqp, "receive", "--listen", at, "--idle", "2s", "-f", "%T\\n"], stdout=out, ready=b"listening")
        begin = Process([options.amqp, "send", "-u", f"amqp://127.0.0.1:{at}", "q", "x", "-c", "100m", "--rate", str(wanted),
                         "--for", f"{seconds}s"]).wait()
        end.wait()
        times = [int(line) for line in open(out)]
        tenths = {}
        for t in times:
            tenths[t // 100] = tenths.get(t // 100, 0) + 1
        span = max(1, times[-1] - times[0]) / 1000
        got = (len(times) - 1) / span
        row(f"{wanted:,} /s", f"{len(times):,}", f"{(got / wanted - 1) * 100:+.2f} %", f"{max(tenths.values()):,}", f"{begin.cpu:.2f} s")
