"""Outcomes by program: the same command under amqp-consume and under ours, and a worker; requests answered a second."""
from harness import *

# One line at a time.
WORKER = """
import sys
for line in sys.stdin:
    print(line[6:line.index(",")], "accept", flush=True)
"""

# What there is at a time: the fastest honest worker.
C_WORKER = r"""
#include <stdio.h>
#include <string.h>
#include <unistd.h>
/* Reads what there is, answers every line of it with one write. */
static char in[1 << 20], out[1 << 20];
int main(void) {
    size_t have = 0;
    for (;;) {
        ssize_t n = read(0, in + have, sizeof in - have);
        if (n <= 0) return 0;
        have += n;
        size_t at = 0, put = 0;
        for (char *end; (end = memchr(in + at, '\n', have - at)); at = end - in + 1) {
            size_t comma = (char *)memchr(in + at, ',', have - at) - in;
            memcpy(out + put, in + at + 6, comma - at - 6);
            put += comma - at - 6;
            memcpy(out + put, " accept\n", 8);
            put += 8;
            if (put > sizeof out - 64) { write(1, out, put); put = 0; }
        }
        memmove(in, in + at, have -= at);
        if (put) write(1, out, put);
    }
}
"""


def handlers():
    if not RABBIT3:
        return print("\n(no RabbitMQ 3.10: handlers not measured)")
    few, many = (500, 20_000) if options.quick else (3_000, 300_000)
    source = f"{WORK}/worker.c"
    worker = f"{WORK}/worker"
    with open(source, "w") as f:
        f.write(C_WORKER)
    compiled = subprocess.run(["cc", "-O2", "-o", worker, source], capture_output=True).returncode == 0 or \
        subprocess.run(["clang", "-O2", "-o", worker, source], capture_output=True).returncode == 0
    script = f"{WORK}/worker.py"
    with open(script, "w") as f:
        f.write(WORKER)
    ours = [options.amqp, "receive", "-u", RABBIT3, "--protocol", "0-9-1", "jobs"]
    theirs = ["amqp-consume", "-u", RABBIT3, "-q", "jobs"]
    # Its command's own options are amqp-consume's to it: a script has none. It dies of a command that doesn't read its
    # input (SIGPIPE, status 141). One takes as long as starting it does, and both cores; the other waits, as those do
    # that ask somebody else.
    bodies = {"cat": "cat >/dev/null", "cat and wait": "cat >/dev/null; sleep 0.01"}
    commands = {}
    for name, body in bodies.items():
        path = f"{WORK}/{name.replace(' ', '-')}"
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, 0o755)
        commands[f"amqp-consume {name}"] = ([*theirs, "-c", str(few), path], few)
        # What the machine could do at best: the same commands, and nobody to fetch a message for them.
        commands[f"xargs -P 4 {name}, no AMQP"] = (["sh", "-c", f"seq {few} | xargs -n 1 -P 4 {path}"], few)
        for jobs in ("1", "4", "8"):
            commands[f"amqp receive -j {jobs} -- {name}"] = ([*ours, "-c", str(few), "-j", jobs, "--", path], few)
    if compiled:
        commands["amqp receive --worker (C), --jobs 1000"] = ([*ours, "-c", str(many), "-j", "1000", "--worker", worker], many)
        commands["amqp receive --worker (C), --jobs 1"] = ([*ours, "-c", str(many // 5), "--worker", worker], many // 5)
    commands["amqp receive --worker (Python), --jobs 1000"] = (
        [*ours, "-c", str(many), "-j", "1000", "--worker", f"python3 {script}"], many)
    commands["amqp receive, no handler"] = ([*ours, "-c", str(many)], many)
    walls = {name: [] for name in commands}
    for _ in range(options.runs):
        for name, (argv, n) in commands.items():
            queue("jobs", "rabbitmq3")
            Process([options.amqp, "send", "-u", RABBIT3, "--protocol", "0-9-1", "--transient", "jobs", "-l"],
                    stdin=lines(n)).wait()
            walls[name].append(Process(argv).wait())
    queue("jobs", "rabbitmq3")
    base = statistics.median(p.wall for p in walls["amqp-consume cat"]) / few
    waiting = statistics.median(p.wall for p in walls["amqp-consume cat and wait"]) / few
    print(f"\n**Handlers**, messages of 100 octets out of RabbitMQ 3.10 ({few:,} by commands, {many:,} by workers)")
    table("", "messages", "× amqp-consume", "CPU a message, with handlers")
    for name, (_, n) in commands.items():
        w = statistics.median(p.wall for p in walls[name])
        row(name, rate(n, w), f"{(waiting if 'wait' in name else base) / (w / n):.1f}", f"{statistics.median(p.cpu for p in walls[name]) / n * 1e6:.1f} µs")
