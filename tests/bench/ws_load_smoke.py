"""Runs the load generator against its own origin and relay, and against origins that answer wrongly."""

import base64
import hashlib
import struct
import subprocess
import sys
import unittest

import smoke
from smoke import CONNECTIONS

LOAD = sys.argv.pop(1)
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE = 0x81, 0x88

COMMANDS = {  # with what is to be opened
    "echo": (CONNECTIONS, ["--outstanding", "4"]),
    "rate": (CONNECTIONS + 5, ["--idle", "5", "--rate", "500"]),
    "stream": (CONNECTIONS, ["--tokens", "5", "--pace", "10000"]),
    "connect": (None, ["--size", "32"]),
    "idle": (CONNECTIONS, ["--size", "70000"]),
}


def receive(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise OSError("the end")
        data += part
    return data


def read_message(connection):
    """The opcode and the payload of a short frame of the client's."""
    first, second = receive(connection, 2)
    if second < 0x80 or second > 0x80 + 125:
        raise ValueError("not a short masked frame")
    key, payload = receive(connection, 4), receive(connection, second - 0x80)
    return first, bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def frame(payload, first=TEXT):
    return struct.pack("BB", first, len(payload)) + payload


def upgrade(connection, accept=None):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += receive(connection, 1)
    key = head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
    accept = accept or base64.b64encode(hashlib.sha1(key + GUID).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-accept: " + accept + b"\r\n\r\n"
    )


def echo(answers):
    """An origin that echoes the first message, and then what `answers` makes of every two."""

    def serve(connection):
        upgrade(connection)
        connection.sendall(frame(read_message(connection)[1]))
        while True:
            messages = [read_message(connection)[1] for _ in range(2)]
            connection.sendall(answers(*messages))

    return serve


def refuse(connection):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")


def end_in_the_middle(connection):
    upgrade(connection)
    connection.sendall(frame(read_message(connection)[1])[:-1])


WRONG = {
    "ARefusal": refuse,
    "AnotherAccept": lambda connection: upgrade(connection, b"x" * 28),
    "AnEndAfterTheHandshake": upgrade,
    "AShorterMessage": echo(lambda a, b: frame(a[:-1]) + frame(b)),
    "ALongerMessage": echo(lambda a, b: frame(a + b"x") + frame(b)),
    "AnotherText": echo(lambda a, b: frame(a[:-1] + b"y") + frame(b)),
    "AnotherOrder": echo(lambda a, b: frame(b) + frame(a)),
    "AMessageTwice": echo(lambda a, b: frame(a) + frame(a)),
    "AnotherClients": echo(lambda a, b: frame(b"000000ff" + a[8:]) + frame(b)),
    "ABinaryMessage": echo(lambda a, b: frame(a, first=0x82) + frame(b)),
    "AFragment": echo(lambda a, b: frame(a, first=0x01) + frame(b)),
    "AMaskedFrame": echo(lambda a, b: b"\x81\x80\0\0\0\0"),
    "AClose": echo(lambda a, b: frame(b"\x03\xe8", first=CLOSE)),
    "AnEndInTheMiddle": end_in_the_middle,
}


class SmokeTest(unittest.TestCase):
    def check(self, port, command):
        opened, options = COMMANDS[command]
        status, figures = smoke.generate(LOAD, command, port, *options)
        self.assertEqual((status, figures["ok"], figures["errors"]), (0, True, 0), figures)
        self.assertEqual(figures["opened"], opened or figures["answers"])
        self.assertGreaterEqual(figures["answers"], CONNECTIONS)
        self.assertGreater(figures["p50_us"], 0)
        self.assertGreaterEqual(figures["p99_us"], figures["p50_us"])
        return figures

    def test_every_command_counts_answers_without_errors(self):
        with smoke.server(LOAD, "origin", "--pace", "10000") as origin:
            with smoke.server(LOAD, "relay", "--to", f"127.0.0.1:{origin}") as relay:
                for command in COMMANDS:
                    for port in (origin, relay):
                        with self.subTest(command, port=port):
                            self.check(port, command)

    def test_large_messages_are_echoed_while_more_are_sent(self):
        with smoke.server(LOAD, "origin") as port:
            options = ["--size", "300000", "--outstanding", "4", "--shape", "json"]
            status, figures = smoke.generate(LOAD, "echo", port, *options)
        self.assertEqual((status, figures["errors"]), (0, 0), figures)
        self.assertGreaterEqual(figures["answers"], 4 * CONNECTIONS)

    def test_a_rate_is_kept_whatever_the_answers_do(self):
        with smoke.server(LOAD, "origin") as port:
            self.assertEqual(self.check(port, "rate")["answers"], 100)  # 500 per second for 0.2 s

    def test_wrong_answers_are_errors(self):
        for name, answer in WRONG.items():
            with self.subTest(name), smoke.stub(answer) as port:
                status, figures = smoke.generate(LOAD, "echo", port, "--outstanding", "2")
                self.assertEqual((status, figures["ok"]), (1, False), figures)
                self.assertTrue(figures["first_error"])

    def test_missing_tokens_are_an_error(self):
        def serve(connection):
            upgrade(connection)
            connection.sendall(frame(read_message(connection)[1]))
            mark = read_message(connection)[1].removeprefix(b"stream ")
            for number in (b"00000000", b"00000002"):
                connection.sendall(frame((mark[:8] + number + b"0" * 16).ljust(64, b"x")))
            connection.recv(1)

        with smoke.stub(serve) as port:
            status, figures = smoke.generate(LOAD, "stream", port, "--tokens", "3")
        self.assertEqual((status, figures["first_error"]), (1, "an answer out of order"))

    def test_a_connection_that_ends_without_close_is_an_error(self):
        def serve(connection):
            upgrade(connection)
            connection.sendall(frame(read_message(connection)[1]))
            read_message(connection)

        with smoke.stub(serve) as port:
            status, figures = smoke.generate(LOAD, "connect", port)
        self.assertEqual((status, figures["first_error"]), (1, "the connection ended without a Close"))

    def test_pings_are_answered(self):
        pongs = []

        def serve(connection):
            upgrade(connection)
            connection.sendall(frame(b"?", first=0x89) + frame(read_message(connection)[1]))
            pongs.append(read_message(connection))

        with smoke.stub(serve) as port:
            smoke.generate(LOAD, "echo", port)
        self.assertIn((0x8A, b"?"), pongs)

    def test_it_waits_for_a_line_before_and_after(self):
        with smoke.server(LOAD, "origin") as port:
            command = [LOAD, "idle", "--to", f"127.0.0.1:{port}", "-c", "3"]
            pipe = subprocess.PIPE
            with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
                self.assertEqual(process.stdout.readline(), '{"ready":true}\n')
                process.stdin.write("\n")
                process.stdin.flush()
                self.assertIn('"opened":3', process.stdout.readline())
                self.assertIsNone(process.poll())

    def test_nobody_there_is_an_error(self):
        status, figures = smoke.generate(LOAD, "echo", smoke.nobody())
        self.assertEqual((status, figures["answers"]), (1, 0))


if __name__ == "__main__":
    unittest.main()
