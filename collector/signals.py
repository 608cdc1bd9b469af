"""What `turnout up` is told by signals: to stop, to hurry, to read its configuration anew."""

import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from collector.terminal import Terminal


class Signals:
    """Turns the signals that matter into something to wait for."""

    def __init__(self) -> None:
        self.stops = 0
        self._hung_up = False
        self._terminal = Terminal()
        self._reading, self._writing = socket.socketpair()

    @contextmanager
    def heard(self) -> Iterator["Signals"]:
        self._reading.settimeout(0)
        self._writing.settimeout(0)
        numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGCHLD]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # ignored under nohup
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._hear) for number in numbers}
        wakeup = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        try:
            yield self
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._reading.close()
            self._writing.close()

    def hurry(self) -> bool:
        """Somebody asked a second time."""
        return self.stops > 1

    def reload(self) -> bool:
        """Whether somebody has asked for the configuration to be read anew, since this was last asked."""
        asked, self._hung_up = self._hung_up, False
        return asked and not self.stops

    def wait(self, seconds: float) -> None:
        """Until a signal comes or the time is over."""
        if select.select([self._reading], [], [], max(0.0, seconds))[0]:
            self._reading.recv(512)
        if not self.stops and self._terminal.closed():
            self.stops = 1

    def _hear(self, number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            self._terminal.hang_up()
            self._hung_up = True
        elif number != signal.SIGCHLD:
            self.stops += 1
