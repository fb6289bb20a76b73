"""A backend over TLS that puts its answer and its close_notify into one segment."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import Callable, Iterator

from certificates import Certificate

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def _serve(peer: socket.socket, context: ssl.SSLContext, answer: Callable[[str], bytes | None]) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    request, shaken = b"", False
    while b"\r\n\r\n" not in request:
        try:
            if not shaken:
                tls.do_handshake()
                shaken = True
            request += tls.read()
        except ssl.SSLWantReadError:
            peer.sendall(outgoing.read())
            data = peer.recv(65536)
            if not data:
                return
            incoming.write(data)
    said = answer(request.decode())
    if said is not None:
        tls.write(said)
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.unwrap()
        peer.sendall(outgoing.read())
    while peer.recv(65536):
        pass


@contextlib.contextmanager
def tls_origin(certificate: Certificate, answer: Callable[[str], bytes | None]) -> Iterator[int]:
    """Yields its port. `answer` gets a request's head; None: no answer, the client has to leave."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)

    def one(peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError, ssl.SSLError):
            _serve(peer, context, answer)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
