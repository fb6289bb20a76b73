"""What the tests of the load generators have in common: runs of them, their origin, servers in its place."""

import contextlib
import json
import socket
import subprocess
import threading

SECONDS = "0.2"
CONNECTIONS = 8


def generate(load, command, port, *options):
    """The exit status and the figures of one run."""
    arguments = [load, command, "--to", f"127.0.0.1:{port}", "-c", str(CONNECTIONS), "-t", SECONDS]
    done = subprocess.run(
        [*arguments, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def server(load, *arguments):
    """The port of an origin, or of what else the program serves, that runs meanwhile."""
    process = subprocess.Popen([load, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["port"]
    finally:
        process.terminate()
        process.communicate(timeout=20)


@contextlib.contextmanager
def stub(answer):
    """The port of a server that calls `answer` with each connection, and then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def handle(connection):
            with contextlib.suppress(OSError), connection:
                answer(connection)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=handle, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(20)


def nobody():
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
