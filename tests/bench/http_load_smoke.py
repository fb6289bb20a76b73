"""Runs the load generator against its own origin, and against origins that answer wrongly."""

import sys
import unittest

import smoke
from smoke import CONNECTIONS

LOAD = sys.argv.pop(1)
BODY = b"x" * 1024

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n400\r\n" + BODY

WRONG = {
    "AnotherStatus": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 1024\r\n\r\n" + BODY,
    "AShorterBody": OK + b"Content-Length: 1023\r\n\r\n" + BODY[1:],
    "MoreThanItsLength": OK + b"Content-Length: 1024\r\n\r\n" + BODY + b"x",
    "AnotherFraming": CHUNKED + b"\r\n0\r\n\r\n",
    "AChunkWithoutEnd": CHUNKED + b"xx\r\n",
    "NoFraming": OK + b"\r\n" + BODY,
    "NoHttp": b"hello\r\n\r\n",
    "AnEndInTheMiddle": OK + b"Content-Length: 1024\r\n\r\n" + BODY[1:],
}


def stub(answer):
    """The port of a server that answers the first request of each connection so, and hangs up."""

    def serve(connection):
        connection.recv(4096)
        connection.sendall(answer)

    return smoke.stub(serve)


class SmokeTest(unittest.TestCase):
    def test_both_scenarios_count_answers_without_errors(self):
        with smoke.server(LOAD, "origin") as port:
            for command, fewest_reads in (("get", 1), ("stream", 25)):
                with self.subTest(command):
                    status, figures = smoke.generate(LOAD, command, port)
                    self.assertEqual((status, figures["ok"], figures["errors"]), (0, True, 0))
                    self.assertEqual(figures["opened"], CONNECTIONS)
                    self.assertGreaterEqual(figures["answers"], CONNECTIONS)
                    self.assertGreater(figures["per_second"], 0)
                    # Each chunk is a write of its own; on a busy machine, some are read together.
                    self.assertGreaterEqual(figures["reads"], fewest_reads * figures["answers"])

    def test_an_announced_end_is_followed_by_a_new_connection(self):
        answer = OK + b"Content-Length: 1024\r\nConnection: close\r\n\r\n" + BODY
        with stub(answer) as port:
            status, figures = smoke.generate(LOAD, "get", port)
        self.assertEqual((status, figures["errors"]), (0, 0), figures)
        self.assertEqual(figures["opened"], figures["answers"])
        self.assertGreater(figures["opened"], CONNECTIONS)

    def test_wrong_answers_are_errors(self):
        for name, answer in WRONG.items():
            with self.subTest(name), stub(answer) as port:
                status, figures = smoke.generate(LOAD, "get", port)
                self.assertEqual((status, figures["ok"], figures["answers"]), (1, False, 0))
                self.assertEqual(figures["errors"], CONNECTIONS)
                self.assertTrue(figures["first_error"])

    def test_nobody_there_is_an_error(self):
        status, figures = smoke.generate(LOAD, "get", smoke.nobody())
        self.assertEqual((status, figures["errors"]), (1, CONNECTIONS))


if __name__ == "__main__":
    unittest.main()
