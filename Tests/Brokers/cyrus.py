"""cyrus.py PORT TARGET-PORT MECHANISM [data]: an AMQP 1.0 port whose SASL is Cyrus SASL's own server, with the configuration
SASL_CONF_PATH/amqp.conf; who is let in speaks with TARGET-PORT from there on. With `data` the mechanism's last word is in the
outcome, else it is one more challenge. Says "listening", then what came of the one connection it takes."""

import ctypes
import socket
import struct
import sys
import threading

sasl = ctypes.CDLL("libsasl2.so.2")
port, target, mechanism = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
SUCCESS_DATA = 4
OK, CONTINUE = 0, 1


def frame(code, *fields):
    body = b"".join(fields)
    body = b"\0\x53" + bytes([code, 0xD0]) + struct.pack(">II", len(body) + 4, len(fields)) + body
    return struct.pack(">IBBH", len(body) + 8, 2, 1, 0) + body


def binary(octets):
    return b"\xb0" + struct.pack(">I", len(octets)) + octets


def exactly(connection, count):
    octets = b""
    while len(octets) < count:
        more = connection.recv(count - len(octets))
        if not more:
            sys.exit("the client went away")
        octets += more
    return octets


def received(connection):
    """The code and the fields of the next SASL frame: strings of any kind, or None."""
    size = struct.unpack(">I", exactly(connection, 4))[0]
    body = exactly(connection, size - 4)[4:]
    at = {0xC0: 6, 0xD0: 12, 0x45: 4}[body[3]]
    fields = []
    while at < len(body):
        kind = body[at]
        if kind == 0x40:
            fields.append(None)
            at += 1
            continue
        wide = kind >> 4 == 0xB
        length = struct.unpack(">I", body[at + 1 : at + 5])[0] if wide else body[at + 1]
        at += 5 if wide else 2
        fields.append(body[at : at + length])
        at += length
    return body[2], fields


def relay(source, sink):
    while octets := source.recv(65536):
        sink.sendall(octets)
    sink.shutdown(socket.SHUT_WR)


assert sasl.sasl_server_init(None, b"amqp") == OK
context = ctypes.c_void_p()
flags = SUCCESS_DATA if "data" in sys.argv[4:] else 0
assert sasl.sasl_server_new(b"amqp", None, None, None, None, None, flags, ctypes.byref(context)) == OK

server = socket.create_server(("127.0.0.1", port))
print("listening", flush=True)
client, _ = server.accept()
exactly(client, 8)
name = mechanism.encode()
client.sendall(b"AMQP\x03\x01\0\0" + frame(0x40, b"\xa3" + bytes([len(name)]) + name))
code, fields = received(client)
out, length = ctypes.c_void_p(), ctypes.c_uint()
results = ctypes.byref(out), ctypes.byref(length)
status = sasl.sasl_server_start(context, fields[0], fields[1], len(fields[1] or b""), *results)
while status == CONTINUE:
    client.sendall(frame(0x42, binary(ctypes.string_at(out, length.value))))
    code, fields = received(client)
    status = sasl.sasl_server_step(context, fields[0], len(fields[0]), *results)
if status != OK:
    client.sendall(frame(0x44, b"\x50\x01"))
    sys.exit("refused: %d" % status)
last = [binary(ctypes.string_at(out, length.value))] if out.value and length.value else []
client.sendall(frame(0x44, b"\x50\x00", *last))
user = ctypes.c_char_p()
sasl.sasl_getprop(context, 0, ctypes.byref(user))
print("let in", user.value.decode(), flush=True)
onward = socket.create_connection(("127.0.0.1", target))
threading.Thread(target=relay, args=(onward, client), daemon=True).start()
relay(client, onward)
