"""Runs `turnout` commands in this process, in an empty directory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from collector.cli.main import main
from tests.worker.rig import append, body, terms
from worker.embedded import Server


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Turnout = Callable[..., Ended]


@pytest.fixture
def turnout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Turnout:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        code = ended.value.code
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ended(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run


@pytest.fixture
def configured(log_process: Server, rq_process: Server, log_client: redis.Redis, tmp_path: Path) -> redis.Redis:
    """A log with one message of `web` that waits for `hook` and for the archive; a client of it."""
    toml = f"""
        [log]
        url = "{log_process.url}"
        partitions = 1
        [rq]
        url = "{rq_process.url}"
        [sources.web]
        write_keys = ["dev"]
        profiles = false
        [destinations.hook]
        type = "console"
    """
    (tmp_path / "turnout.toml").write_text(toml)
    append(log_client, terms("hook", "archive"), "a", bodies=[body("a")])
    return log_client
