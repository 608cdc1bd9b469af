"""Plain tables for a terminal, at most 80 columns wide."""

import textwrap
from collections.abc import Sequence

WIDTH = 80
GAP = "  "
NARROWEST = 8


def table(heads: Sequence[str], rows: Sequence[Sequence[str | int]]) -> list[str]:
    """Numbers to the right, text to the left; long text is shortened until everything fits."""
    cells = [[cell if isinstance(cell, str) else count(cell) for cell in row] for row in rows]
    numeric = [bool(rows) and all(isinstance(row[index], int) for row in rows) for index in range(len(heads))]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    widths = _fitted(widths, numeric)
    return [_line(row, widths, numeric) for row in [list(heads), *cells]]


def count(number: int) -> str:
    """Exact while it is short: 1234567, 123.5M."""
    for size, unit in ((10**15, "P"), (10**12, "T"), (10**9, "G"), (10**8, "M")):
        if abs(number) >= size:
            return f"{number / min(size, 10**6 if unit == 'M' else size):.1f}{unit}"
    return str(number)


def counted(number: int, what: str) -> str:
    """1 message, 2 messages."""
    return f"{count(number)} {what}{'' if number == 1 else 's'}"


def size(bytes_: int) -> str:
    """As short as a span: 12 bytes, 1.2 kB, 3.0 GB."""
    for least, unit in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")):
        if bytes_ >= least:
            return f"{bytes_ / least:.1f} {unit}"
    return counted(bytes_, "byte")


def span(seconds: float | None) -> str:
    """A length of time in one short word: 40 ms, 12 s, 3 min, 5.0 h, 2.5 d."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for size, unit, digits in ((86_400, "d", 1), (3_600, "h", 1), (60, "min", 0)):
        if seconds >= size:
            return f"{seconds / size:.{digits}f} {unit}"
    return f"{seconds:.0f} s"


def _fitted(widths: list[int], numeric: Sequence[bool]) -> list[int]:
    """Take the surplus from the widest text column, one character at a time."""
    fitted = list(widths)
    while sum(fitted) + len(GAP) * (len(fitted) - 1) > WIDTH:
        texts = [index for index, number in enumerate(numeric) if not number and fitted[index] > NARROWEST]
        if not texts:
            break
        fitted[max(texts, key=lambda index: fitted[index])] -= 1
    return fitted


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    aligned = [
        cell.rjust(width) if number else short(cell, width).ljust(width)
        for cell, width, number in zip(cells, widths, numeric, strict=True)
    ]
    return GAP.join(aligned).rstrip()


def wrapped(text: str) -> list[str]:
    """A sentence in lines that fit, the later ones indented; no word of it is cut."""
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
