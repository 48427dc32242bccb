"""What the sections of Tests/Benchmarks/run share: processes with their resource usage, sources, tables."""
import os, re, shutil, signal, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class options:
    """Set by the command line before a section runs."""
    quick, runs, amqp = False, 5, ""


def environment():
    """The peers' environment, as Tests/Brokers/start wrote it."""
    cache = os.environ.get("AMQP_TEST_CACHE", os.path.expanduser("~/.cache/amqp-tests"))
    out = subprocess.run(["bash", "-c", f". {cache}/env 2>/dev/null; env -0"], capture_output=True).stdout
    return {k: v for k, v in (p.decode(errors="replace").split("=", 1) for p in out.split(b"\0") if b"=" in p)}


ENV = environment()
PROTON = ENV.get("AMQP_TEST_PROTON")
RABBIT3 = ENV.get("AMQP_TEST_RABBITMQ3")
RABBIT4 = ENV.get("AMQP_TEST_RABBITMQ4")
WORK = tempfile.mkdtemp(prefix="amqp-bench-")
PORT = [28000 + os.getpid() % 1000]


def port():
    PORT[0] += 1
    return str(PORT[0])


class Process:
    """A process whose own resource usage is read when it ends: by time(1), because a child of Python's begins as large as
    Python; `bare` where its wall time is all that counts and must not include time(1)'s."""

    def __init__(self, argv, stdin=None, stdout=None, ready=None, env=None, bare=False):
        self.figures = None
        if not bare:
            fd, self.figures = tempfile.mkstemp(dir=WORK)
            os.close(fd)
            argv = ["/usr/bin/time", "-q", "-f", "%U %S %M", "-o", self.figures, *argv]
        self.started = time.monotonic()
        self.p = subprocess.Popen(
            argv, stdin=open(stdin, "rb") if isinstance(stdin, str) else stdin or subprocess.DEVNULL,
            stdout=open(stdout, "wb") if isinstance(stdout, str) else stdout or subprocess.DEVNULL,
            stderr=subprocess.PIPE, env=env or ENV)
        if ready:
            while ready not in self.p.stderr.readline():
                pass

    def wait(self, limit=300):
        signal.alarm(limit)
        _, status = os.waitpid(self.p.pid, 0)
        signal.alarm(0)
        self.p.returncode = os.waitstatus_to_exitcode(status)
        self.wall = time.monotonic() - self.started
        if self.figures:
            user, system, rss = open(self.figures).read().split()[-3:]
            self.cpu, self.rss = float(user) + float(system), int(rss) / 1024
            os.remove(self.figures)
        if self.p.returncode:
            sys.exit(f"{self.p.args}: status {self.p.returncode}: {self.p.stderr.read().decode()}")
        return self


def build():
    """The shipped binary, where it was installed as the README says: in a folder for programs, like the alternatives."""
    flags = ["-c", "release", "--static-swift-stdlib", "--disable-local-rpath"]
    subprocess.run(["swift", "build", *flags, "--product", "amqp"], check=True, stdout=subprocess.DEVNULL)
    path = subprocess.run(["swift", "build", *flags, "--show-bin-path"], check=True, capture_output=True, text=True)
    return shutil.copy(path.stdout.strip() + "/amqp", f"{WORK}/amqp")


def lines(n, size=100):
    path = f"{WORK}/lines-{n}-{size}"
    if not os.path.exists(path):
        with open(path, "w") as f:
            for i in range(n):
                f.write(f"{i:0{min(size, 10)}d}"[:size].ljust(size, "x") + "\n")
    return path


def certificates():
    """Where the certificates of Tests/Certificates/make are."""
    path = f"{WORK}/certificates"
    if not os.path.exists(path):
        subprocess.run([f"{ROOT}/Tests/Certificates/make", path], check=True)
    return path


def ours(n, source, *flags, send=(), receive=(), scheme="amqp"):
    """Ours to ours: the wall time for both, and each end."""
    at = port()
    if scheme == "amqps":
        receive = (*receive, "--cert", f"{certificates()}/server.pem", "--key", f"{certificates()}/server.key")
        send = (*send, "--cacert", f"{certificates()}/ca.pem")
    out = f"{WORK}/out"
    end = Process([options.amqp, "receive", "--listen", at, "-c", str(n), *flags, *receive], stdout=out, ready=b"listening")
    start = time.monotonic()
    begin = Process([options.amqp, "send", "-u", f"{scheme}://127.0.0.1:{at}", *flags, *send], stdin=source).wait()
    end.wait()
    return time.monotonic() - start, begin, end


def proton(n):
    at = port()
    end = Process([f"{PROTON}/direct", "127.0.0.1", at, "examples", str(n)])
    time.sleep(0.4)
    start = time.monotonic()
    begin = Process([f"{PROTON}/send", "127.0.0.1", at, "examples", str(n)]).wait()
    end.wait()
    return time.monotonic() - start, begin, end


def medians(results, n):
    walls = [r[0] for r in results]
    return (statistics.median(walls), statistics.median(r[1].cpu for r in results) / n * 1e6,
            statistics.median(r[2].cpu for r in results) / n * 1e6,
            max(r[1].rss for r in results), max(r[2].rss for r in results))


def row(*cells):
    print("| " + " | ".join(str(c) for c in cells) + " |", flush=True)


def table(*heads):
    print()
    row(*heads)
    row(*["---"] * len(heads))


def rate(n, wall):
    return f"{n / wall / 1e6:.2f} M/s" if n / wall >= 1e5 else f"{n / wall:,.0f} /s"


def hostport(url):
    return re.search(r"@([^:/]+):(\d+)", url).groups()


def queue(name, node="rabbitmq4", kind="classic"):
    """Empty and there, whatever it was before."""
    subprocess.run(["Tests/Brokers/queue", node, "delete", name], capture_output=True)
    subprocess.run(["Tests/Brokers/queue", node, "declare", name, kind], check=True, capture_output=True)


def whole(commands, rounds):
    """Wall times of each of these (arguments, environment) run in turn."""
    walls = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (argv, env) in commands.items():
            walls[name].append(Process(argv, env=env, bare=True).wait().wall)
    return walls


def one_table(walls, base):
    table("", "median", "fastest tenth", f"÷ {base.split()[0]}")
    unit = statistics.median(walls[base])
    for name, values in walls.items():
        values.sort()
        row(name, f"{statistics.median(values) * 1e3:.2f} ms", f"{values[len(values) // 10] * 1e3:.2f} ms",
            f"{statistics.median(values) / unit:.2f}")
