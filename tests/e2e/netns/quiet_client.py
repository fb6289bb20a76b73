"""A client that is a process of its own, to be stopped as one: quiet_client.py HOST PORT PATH.

Has a turn, says `ready`, answers pings, and tells the code of the connection's end; 1006: no Close.
"""

from __future__ import annotations

import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from wsclient import Client, Closed  # noqa: E402


async def main(host: str, port: int, path: str) -> None:
    client = await Client.connect(port, path, host=host)
    await client.turn()
    print("ready", flush=True)
    try:
        await client.receive()
    except Closed as closed:
        print(closed.code, flush=True)
    except ConnectionError:  # when it answers a ping that has waited
        print(1006, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
