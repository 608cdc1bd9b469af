"""The documentation names every destination and every setting, with its default."""

import json
import re
from pathlib import Path

import pytest

from destinations.registry import load
from destinations.settings import describe

PAGE = (Path(__file__).parents[2] / "docs" / "destinations.md").read_text()
BUILT_IN = ("archive", "console", "file", "profiles", "webhook")


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_setting_has_its_row(name: str) -> None:
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(f"{name}\n")]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, flags=re.MULTILINE))
    for field in describe(load(name).shape):
        shown = rows[field.name].strip("`")
        if field.required:
            assert shown == "required"
        elif field.default is None or field.default in ([], {}):
            assert shown == "none"
        else:
            assert shown.strip('"') == in_toml(field.default)


def in_toml(value: object) -> str:
    """As it would be written into the configuration, where JSON writes it alike; else as it shows itself."""
    return json.dumps(value) if isinstance(value, bool | tuple) else str(value)
