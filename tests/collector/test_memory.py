"""How full the log server is."""

from collector.memory import Memory, read


def test_the_share_is_of_the_limit() -> None:
    assert read(b"# Memory\r\nused_memory:850\r\nused_memory_human:850B\r\nmaxmemory:1000\r\n").share == 0.85


def test_a_server_without_a_limit_is_never_full() -> None:
    assert read(b"used_memory:850\r\nmaxmemory:0\r\n").share == 0


def test_a_server_that_tells_nothing_counts_as_without_a_limit() -> None:
    assert read(b"") == Memory(0, 0)
