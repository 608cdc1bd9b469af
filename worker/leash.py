"""Starts child processes that do not outlive this one."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO

# Runs in the child before the program itself; a `preexec_fn` could lock up in a process with threads.
# PR_SET_PDEATHSIG is 1. The parent may be gone before that takes effect: hence the look.
_LAUNCHER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent process is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def settle_in(name: str, parent: int) -> None:
    """What a child that was just forked does first: take a name, and see to it that it ends with its parent."""
    if sys.platform == "linux":
        system = ctypes.CDLL(None)
        system.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
        system.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it was gone before that took effect


def spawn(
    command: Sequence[str], *, output: IO[bytes] | None = None, pass_fds: Sequence[int] = ()
) -> "subprocess.Popen[bytes]":
    """Run `command` (its program by absolute path) in a process group of its own: Ctrl-C reaches only us.

    Linux sends the child SIGTERM when the *thread* that started it ends, which may be long before its process
    does. So only the main thread ties its children; those of other threads, or systems, can stay behind.
    """
    tied = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())] if tied else []
    return subprocess.Popen(
        [*launcher, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        pass_fds=pass_fds,
        process_group=0,
    )
