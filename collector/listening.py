"""The sockets on which the collector listens, opened by whoever outlives it."""

import errno
import socket
from collections.abc import Sequence

_NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""A name may stand for addresses that this machine has not got."""


def listen(host: str, port: int, backlog: int) -> list[socket.socket]:
    """One for each address that the name stands for. Raises OSError when one is taken, or none is ours.

    As long as they are open, connections wait in the backlog while nobody is there to accept them.
    """
    opened: list[socket.socket] = []
    last: OSError | None = None
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, address in dict.fromkeys((row[0], row[4][:2]) for row in found):
        try:
            opened.append(socket.create_server(address, family=family, backlog=backlog))
        except OSError as error:
            if error.errno not in _NOT_HERE:
                close(opened)
                raise
            last = error
    if not opened:
        raise last or OSError(errno.EADDRNOTAVAIL, "there is no such address")
    return opened


def given(descriptors: Sequence[int]) -> list[socket.socket]:
    """Those that were handed over as open descriptors. Raises OSError when one is no listening socket."""
    sockets = [socket.socket(fileno=number) for number in descriptors]
    idle = [one.fileno() for one in sockets if not one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)]
    if idle:
        close(sockets)
        raise OSError(errno.EINVAL, f"descriptor {idle[0]} does not listen")
    return sockets


def close(sockets: Sequence[socket.socket]) -> None:
    for one in sockets:
        one.close()
