"""Runs `turnout` commands in this process, in an empty directory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from collector.cli.main import main


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
