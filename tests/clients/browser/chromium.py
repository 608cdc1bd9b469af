"""A real browser for tests: the Chromium of an npm package, or the machine's where there is none for it."""

import json
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Self

from tests.clients import node_setup
from tests.clients.node_setup import lacking

HERE = Path(__file__).parent
UNPACKED = HERE / "node_modules" / ".chromium"
ANSWERS_WITHIN = 60.0
_OF_THE_MACHINE = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Seen:
    """What a page asked for, and what it said in the console."""

    requests: list[str]
    said: list[str]

    @property
    def elsewhere(self) -> list[str]:
        """The requests that would have left this machine."""
        ours = ("https://127.0.0.1:", "http://127.0.0.1:", "https://localhost:", "data:", "blob:")
        return [url for url in self.requests if not url.startswith(ours)]


class Page:
    """A visitor's page."""

    def __init__(self, browser: "Browser", name: int) -> None:
        self._browser = browser
        self._name = name

    def goto(self, url: str) -> None:
        self._browser.order("goto", page=self._name, url=url)

    def run(self, script: str) -> Any:
        """The value of an expression; a promise is waited for."""
        return self._browser.order("evaluate", page=self._name, script=script)

    def seen(self) -> Seen:
        told = self._browser.order("seen", page=self._name)
        return Seen(told["requests"], told["said"])

    def close(self) -> None:
        self._browser.order("close", page=self._name)


class Browser:
    """One browser, for many pages and threads at once; `with` makes sure that it ends."""

    def __init__(self, command: Sequence[str]) -> None:
        self._numbers = count()
        self._waiting: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()
        self._ready: Future[bool] = Future()
        self._process = subprocess.Popen(
            command,
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        self._ready.result(ANSWERS_WITHIN)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join(10)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        self._process.wait()

    def open(self, url: str) -> Page:
        """The page there, for a visitor who was never there before."""
        return Page(self, self.order("open", url=url))

    def snippet(self, **options: object) -> str:
        """The official snippet for pages."""
        return str(self.order("snippet", options=options))

    def bundle(self, code: str) -> str:
        """What a site's build makes of this code and the packages that it imports."""
        return str(self.order("bundle", code=code)).replace("</script", "<\\/script")

    def order(self, order: str, **words: object) -> Any:
        number, answer = next(self._numbers), Future[Any]()
        line = json.dumps({"id": number, "order": order, **words}) + "\n"
        assert self._process.stdin is not None
        with self._lock:
            self._waiting[number] = answer
            self._process.stdin.write(line)
            self._process.stdin.flush()
        return answer.result(ANSWERS_WITHIN)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._take(json.loads(line))
        assert self._process.stderr is not None
        end = RuntimeError(f"the browser has ended: {self._process.stderr.read()}")
        with self._lock:
            waiting = [self._ready, *self._waiting.values()]
        for answer in waiting:
            if not answer.done():
                answer.set_exception(end)

    def _take(self, told: Mapping[str, Any]) -> None:
        if "ready" in told:
            self._ready.set_result(True)
            return
        with self._lock:
            answer = self._waiting.pop(told["id"])
        if "error" in told:
            answer.set_exception(RuntimeError(told["error"]))
        else:
            answer.set_result(told["value"])


def installed(fingerprint: str) -> Browser:
    """A browser that has not started, with everything that it needs. Skips, or fails, where there is none.

    It believes the certificate with this fingerprint.
    """
    node, npm = node_setup.node_and_npm()
    node_setup.install_client(npm, HERE)
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return Browser([node, "drive.mjs", _of_the_machine(), "", fingerprint])
    program = UNPACKED / "chromium"
    if not (UNPACKED / ".done").exists():
        subprocess.run([node, "unpack.mjs", str(UNPACKED)], cwd=HERE, check=True, timeout=120, capture_output=True)
        (UNPACKED / ".done").touch()
    return Browser([node, "drive.mjs", str(program), str(UNPACKED / "al2023" / "lib"), fingerprint])


def _of_the_machine() -> str:
    found = next((path for name in _OF_THE_MACHINE if (path := shutil.which(name))), None)
    if found is None:
        lacking("there is no Chromium: no package brings it for this machine, and none is installed")
    return found
