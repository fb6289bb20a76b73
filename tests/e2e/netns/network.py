"""Hosts that are network namespaces, cables that are veth pairs: what a test makes it removes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import subprocess
from typing import Iterator

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
FAULTS = "faults"  # the nftables table that loses packets


class Unavailable(Exception):
    """This machine does not let the test make what it needs."""


def run(*command: str) -> None:
    """Raises Unavailable with what the command had to say."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except FileNotFoundError as error:
        raise Unavailable(f"no {command[0]} here") from error
    if result.returncode != 0:
        raise Unavailable(f"{' '.join(command)}: {result.stderr.strip()}")


def enter(descriptor: int) -> None:
    """Moves the calling thread; its sockets and children of before stay where they are."""
    if LIBC.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Host:
    """One namespace; `name` is its own among all runs."""

    def __init__(self, name: str) -> None:
        self.name = f"connguard-{os.getpid()}-{name}"
        run("ip", "netns", "add", self.name)

    def ip(self, *arguments: str) -> None:
        run("ip", "-netns", self.name, *arguments)

    def nft(self, command: str) -> None:
        run("ip", "netns", "exec", self.name, "nft", command)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets made and processes started within, by this thread, are of this host."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as there:
            enter(there.fileno())
            try:
                yield
            finally:
                enter(home.fileno())

    def socket(self) -> socket.socket:
        with self.entered():
            return socket.socket()

    def lose_what_comes_by(self, interface: str) -> None:
        """Drops packets where they arrive, so that their sender is none the wiser."""
        self.nft(
            f"add table inet {FAULTS};"
            f"add chain inet {FAULTS} input {{ type filter hook input priority 0; }};"
            f'add rule inet {FAULTS} input iifname "{interface}" drop'
        )

    def lose_nothing(self) -> None:
        self.nft(f"delete table inet {FAULTS}")

    def remove(self) -> None:
        run("ip", "netns", "del", self.name)


class Plug:
    """A host's end of a cable."""

    def __init__(self, host: Host, interface: str, address: str) -> None:
        self.host, self.interface, self.address = host, interface, address

    def up(self) -> None:
        self.host.ip("link", "set", self.interface, "up")

    def down(self) -> None:
        self.host.ip("link", "set", self.interface, "down")

    def assign(self) -> None:
        self.host.ip("address", "add", f"{self.address}/24", "dev", self.interface)

    def unassign(self) -> None:
        self.host.ip("address", "del", f"{self.address}/24", "dev", self.interface)

    def deafen(self) -> None:
        self.host.lose_what_comes_by(self.interface)

    def hear(self) -> None:
        self.host.lose_nothing()


class Network:
    """client ── guard ── agent: three hosts, two cables."""

    def __init__(self) -> None:
        self._hosts = contextlib.ExitStack()
        try:
            self.client, self.guard, self.agent = map(self._add, ("client", "guard", "agent"))
            self.client_plug, self.guard_plug = connect(self.client, self.guard, 1)
            self.agent_plug, _ = connect(self.agent, self.guard, 2)
        except BaseException:
            self.close()
            raise

    def _add(self, name: str) -> Host:
        host = Host(name)
        self._hosts.callback(host.remove)
        host.ip("link", "set", "lo", "up")
        return host

    def close(self) -> None:
        """The cables go with their hosts."""
        self._hosts.close()


def connect(one: Host, other: Host, number: int) -> tuple[Plug, Plug]:
    """A cable of the network 10.77.`number`.0/24; `other` is its .1."""
    interface = f"cable{number}"
    end = ("type", "veth", "peer", "name", interface, "netns", other.name)
    one.ip("link", "add", interface, *end)
    plugs = Plug(one, interface, f"10.77.{number}.2"), Plug(other, interface, f"10.77.{number}.1")
    for plug in plugs:
        plug.assign()
        plug.up()
    return plugs
