"""Captures of about 60 MB, written frame by frame without any of our own code: what `decode` is timed on."""
import struct

CLIENT, SERVER = (bytes([10, 0, 0, 5]), 41022), (bytes([10, 0, 0, 9]), 5672)


class Capture:
    """A pcap file of one TCP connection over Ethernet."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        self.next = {0: 1000, 1: 5000}
        self.time = 1_700_000_000_000_000
        self.size = 24
        self.packet(0, b"", 0x02), self.packet(1, b"", 0x12), self.packet(0, b"", 0x10)

    def packet(self, side, payload, flags=0x18):
        (a, p), (b, q) = (CLIENT, SERVER) if side == 0 else (SERVER, CLIENT)
        tcp = struct.pack(">HHIIBBHHH", p, q, self.next[side], self.next[1 - side] if flags != 2 else 0, 0x50, flags, 65535, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0x4000, 64, 6, 0, a, b)
        data = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip + tcp + payload
        self.time += 7
        self.file.write(struct.pack("<IIII", self.time // 1_000_000, self.time % 1_000_000, len(data), len(data)) + data)
        self.next[side] = (self.next[side] + len(payload) + (1 if flags & 3 else 0)) & 0xffffffff
        self.size += 16 + len(data)

    def stream(self, side, payload):
        """As segments of at most 1,448 octets."""
        for at in range(0, len(payload), 1448):
            self.packet(side, payload[at:at + 1448])


# AMQP 1.0

def described(code, items):
    body = b"".join(items)
    return b"\0\x53" + bytes([code]) + (struct.pack(">BBB", 0xc0, len(body) + 1, len(items)) if len(body) < 255
                                          else struct.pack(">BII", 0xd0, len(body) + 4, len(items))) + body


def frame(body, channel=0, kind=0):
    return struct.pack(">IBBH", 8 + len(body), 2, kind, channel) + body


def text(s, code=0xa1):
    return bytes([code, len(s)]) + s.encode()


def uint(v):
    return b"\x43" if v == 0 else bytes([0x52, v]) if v < 256 else struct.pack(">BI", 0x70, v)


def amqp10(path, size, body):
    """Transfers of one link, one in a segment, each answered by a disposition. Returns the number of frames."""
    c = Capture(path)
    c.packet(0, b"AMQP\0\1\0\0" + frame(described(0x10, [text("bench"), text("localhost")])))
    c.packet(1, b"AMQP\0\1\0\0" + frame(described(0x10, [text("broker")])))
    c.packet(0, frame(described(0x11, [b"\x40", uint(0), uint(8192), uint(8192)])))
    c.packet(1, frame(described(0x11, [b"\x60\0\0", uint(0), uint(8192), uint(8192)])))
    source, target = described(0x28, [text("here")]), described(0x29, [text("/queues/bench")])
    attach = [text("bench-link"), uint(0), b"\x42", b"\x50\0", b"\x50\0", source, target, b"\x40", b"\x40", uint(0)]
    c.packet(0, frame(described(0x12, attach)))
    attach[2] = b"\x41"
    c.packet(1, frame(described(0x12, attach[:7])))
    c.packet(1, frame(described(0x13, [uint(0), uint(8192), uint(0), uint(8192), uint(0), uint(0), uint(1 << 31)])))
    frames, n = 9, 0
    head = described(0x70, [b"\x41"]) + described(0x73, [b"\x40"] * 6 + [text("text/plain", 0xa3)])
    data = b"\0\x53\x75" + (struct.pack(">BB", 0xa0, body) if body < 256 else struct.pack(">BI", 0xb0, body)) + b"x" * body
    while c.size < size:
        tag = struct.pack(">BBI", 0xa0, 4, n)
        c.stream(0, frame(described(0x14, [uint(0), uint(n), tag, b"\x43", b"\x42"]) + head + data))
        c.packet(1, frame(described(0x15, [b"\x41", uint(n), b"\x40", b"\x41", described(0x24, [])])))
        n += 1
    return frames + 2 * n


# AMQP 0-9-1

def method(ids, arguments, channel=1):
    payload = struct.pack(">HH", *ids) + arguments
    return struct.pack(">BHI", 1, channel, len(payload)) + payload + b"\xce"


def short(s):
    return bytes([len(s)]) + s.encode()


def content(body, channel=1):
    header = struct.pack(">HHQH", 60, 0, len(body), 0x9000) + short("text/plain") + b"\x02"
    return (struct.pack(">BHI", 2, channel, len(header)) + header + b"\xce"
            + struct.pack(">BHI", 3, channel, len(body)) + body + b"\xce")


def amqp091(path, size, body):
    """Published, confirmed, delivered to a consumer of the same connection, acknowledged. Returns the number of frames."""
    c = Capture(path)
    c.packet(0, b"AMQP\0\0\x09\x01")
    c.packet(1, method((10, 10), b"\0\x09" + struct.pack(">I", 0) + struct.pack(">I", 5) + b"PLAIN" + struct.pack(">I", 5) + b"en_US", 0))
    c.packet(0, method((20, 10), short("")))
    c.packet(1, method((20, 11), struct.pack(">I", 0)))
    c.packet(0, method((85, 10), b"\0"))
    c.packet(1, method((85, 11), b""))
    frames, n, data = 6, 0, b"x" * body
    while c.size < size:
        n += 1
        tag = struct.pack(">Q", n)
        c.packet(0, method((60, 40), b"\0\0" + short("") + short("bench") + b"\0") + content(data))
        c.packet(1, method((60, 80), tag + b"\0") + method((60, 60), short("ctag-1") + tag + b"\0" + short("") + short("bench")) + content(data))
        c.packet(0, method((60, 80), tag + b"\0"))
        frames += 8
    return frames
