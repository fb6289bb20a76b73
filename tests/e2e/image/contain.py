"""Runs a command as an orchestrator would start an image's process: contain.py ROOT [--volume FROM:TO] COMMAND…

In a root of its own that cannot be written to, as uid 65532, without a capability and without a way to
get one. Network, /proc and /dev are the machine's, so that a test can look at it.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

UID = 65532
CLONE_NEWNS = 0x00020000
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
LIBC = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def main(root: str, volumes: list[str], command: list[str]) -> None:
    check(LIBC.unshare(CLONE_NEWNS), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--rbind", root, root], check=True)
    for volume in ["/proc:/proc", "/dev:/dev", *volumes]:
        source, target = volume.split(":")
        subprocess.run(["mount", "--bind", source, root + target], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", root], check=True)
    os.chroot(root)
    os.chdir("/")
    for capability in range(64):
        if LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # the kernel knows no more of them
    check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    os.setgroups([])
    os.setresgid(UID, UID, UID)
    os.setresuid(UID, UID, UID)
    os.execv(command[0], command)


root, *rest = sys.argv[1:]
volumes = []
while rest[0] == "--volume":
    volumes.append(rest[1])
    rest = rest[2:]
main(root, volumes, rest)
