"""With a spool: what is answered while the log is away, hangs or is full, and how it comes to the log later."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from collector.append import Appender
from collector.log_port import LogFull, LogRefused, LogUnavailable
from collector.spool.status import Held, SpoolStatus, holding, read_status
from tests.collector.appending import (
    NOON,
    PARTITIONS,
    item,
    looking_at,
    refusal,
    soon,
    spool_in,
    stored,
    with_appender,
)
from worker import keys
from worker.embedded import Server, log_server
from worker.errors import WorkerError


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A log server that this test alone may ill-treat."""
    server = log_server(tmp_path, "fsync")
    server.start()
    yield server
    if server.pid is not None:
        os.kill(server.pid, signal.SIGCONT)
    server.stop()


async def straight(appender: Appender) -> None:
    await soon(lambda: appender.spooled() is None, what="messages go straight to the log again")


async def put_some(appender: Appender, first: int, after_last: int) -> None:
    """One after the other, as a client that waits for its answers; of three users in turn."""
    for number in range(first, after_last):
        await appender.put([item(f"u{number % 3}-{number:04d}", user=f"u{number % 3}")], [])


def in_order(names: list[str], count: int) -> None:
    assert sorted(names) == sorted(f"u{number % 3}-{number:04d}" for number in range(count))
    for user in ("u0", "u1", "u2"):
        mine = [name for name in names if name.startswith(user)]
        assert mine == sorted(mine), f"the messages of {user} are out of order"


def test_while_the_log_is_away_everything_is_taken_and_comes_to_it_in_order(own: Server, tmp_path: Path) -> None:
    async def act(appender: Appender) -> None:
        await put_some(appender, 0, 30)
        own.stop()
        await put_some(appender, 30, 60)
        spooled = appender.spooled()
        assert spooled is not None
        assert (spooled.messages, spooled.since) == (30, NOON)
        assert await appender.trouble() is None, "a load balancer should go on"
        own.start()
        await put_some(appender, 60, 90)
        await straight(appender)
        await put_some(appender, 90, 120)

    with_appender(own.url, act, spool=spool_in(tmp_path))
    with looking_at(own.url) as client:
        in_order(stored(client), 120)
    assert read_status(tmp_path) == SpoolStatus(), "an empty spool leaves no file"


def test_new_messages_wait_behind_those_in_the_spool_while_it_is_emptied(own: Server, tmp_path: Path) -> None:
    """The log comes back while messages go on arriving: the switch is under load."""

    async def act(appender: Appender) -> None:
        own.stop()
        numbers = iter(range(1_000_000))
        sent = 0

        async def client(user: str) -> None:
            nonlocal sent
            while not stop.is_set():
                number = next(numbers)
                await appender.put([item(f"{user}-{number:06d}", user=user)], [])
                sent += 1

        stop = asyncio.Event()
        clients = [asyncio.ensure_future(client(f"u{number}")) for number in range(20)]
        await soon(lambda: sent > 500)
        await asyncio.to_thread(own.start)
        await straight(appender)
        more = sent + 500
        await soon(lambda: sent > more)
        stop.set()
        await asyncio.gather(*clients)
        counts.append(sent)

    counts: list[int] = []
    with_appender(own.url, act, spool=spool_in(tmp_path))
    with looking_at(own.url) as client:
        names = stored(client)
    assert len(names) == len(set(names)) == counts[0]
    for number in range(20):
        mine = [name for name in names if name.startswith(f"u{number}-")]
        assert mine == sorted(mine)


def test_a_log_that_hangs_makes_clients_wait_once(own: Server, tmp_path: Path) -> None:
    assert own.pid is not None
    pid = own.pid

    async def act(appender: Appender) -> None:
        await put_some(appender, 0, 10)
        os.kill(pid, signal.SIGSTOP)
        begun = time.monotonic()
        await put_some(appender, 10, 60)
        assert time.monotonic() - begun < 1.5, "one time-out of 0.5 s, then the disk"
        os.kill(pid, signal.SIGCONT)
        await straight(appender)

    with_appender(own.url, act, spool=spool_in(tmp_path), timeout=0.5)
    with looking_at(own.url) as client:
        in_order(stored(client), 60)


def test_a_log_that_went_away_is_noticed_before_the_next_message_comes(own: Server, tmp_path: Path) -> None:
    async def act(appender: Appender) -> None:
        await put_some(appender, 0, 3)
        own.stop()
        await soon(lambda: appender.spooled() is not None)
        own.start()
        await straight(appender)

    with_appender(own.url, act, spool=spool_in(tmp_path))


def test_a_full_log_fills_the_spool_and_is_filled_from_it_later(own: Server, tmp_path: Path) -> None:
    with looking_at(own.url) as client:

        async def act(appender: Appender) -> None:
            await put_some(appender, 0, 3)
            client.config_set("maxmemory", 1)
            await put_some(appender, 3, 6)
            assert await appender.trouble() is None
            client.config_set("maxmemory", 0)
            await straight(appender)

        with_appender(own.url, act, spool=spool_in(tmp_path))
        in_order(stored(client), 6)


def test_messages_go_to_the_spool_before_the_log_has_to_refuse_them(own: Server, tmp_path: Path) -> None:
    with looking_at(own.url) as client:

        async def act(appender: Appender) -> None:
            await put_some(appender, 0, 3)
            used = int(client.info("memory")["used_memory"])
            client.config_set("maxmemory", int(used / 0.86))
            await soon(lambda: appender.spooled() is not None)
            spooled = appender.spooled()
            assert spooled is not None
            assert spooled.reason == "the log is nearly full"
            client.config_set("maxmemory", int(used / 0.5))
            await straight(appender)

        with_appender(own.url, act, spool=spool_in(tmp_path))


def test_a_log_that_may_not_be_written_to_is_waited_for(own: Server, tmp_path: Path) -> None:
    with looking_at(own.url) as client:

        async def act(appender: Appender) -> None:
            await put_some(appender, 0, 3)
            client.replicaof("127.0.0.1", "1")
            await put_some(appender, 3, 6)
            assert appender.spooled() is not None
            client.replicaof("NO", "ONE")
            await straight(appender)

        with_appender(own.url, act, spool=spool_in(tmp_path))
        in_order(stored(client), 6)


class Cutter:
    """Stands before the log, and cuts a connection instead of passing on the answer to a transaction."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self.cuts = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_log, to_log = await asyncio.open_unix_connection(self._server)
        while asked := await reader.read(1 << 20):
            to_log.write(asked)
            answer = await from_log.read(1 << 20)
            if self.cuts and b"EXEC" in asked:
                self.cuts -= 1
                break
            writer.write(answer)
        for end in (writer, to_log):
            end.close()


@pytest.mark.parametrize("cuts", [1, 2, 3, 4])
def test_an_answer_that_is_cut_off_makes_no_second_copy(own: Server, tmp_path: Path, cuts: int) -> None:
    async def act(appender: Appender) -> None:
        cutter = Cutter(own.socket)
        async with await asyncio.start_unix_server(cutter.carry, tmp_path / "cut.sock"):
            await put_some(appender, 0, 3)
            cutter.cuts = cuts
            await put_some(appender, 3, 30)
            await straight(appender)
            assert cutter.cuts == 0

    with_appender(f"unix://{tmp_path}/cut.sock", act, spool=spool_in(tmp_path))
    with looking_at(own.url) as client:
        in_order(stored(client), 30)


def test_refusals_are_kept_too(own: Server, tmp_path: Path) -> None:
    async def act(appender: Appender) -> None:
        own.stop()
        await appender.put([item("good")], [refusal(b'{"type": 1}')])
        own.start()
        await straight(appender)

    with_appender(own.url, act, spool=spool_in(tmp_path))
    with looking_at(own.url) as client:
        assert stored(client) == ["good"]
        assert sum(client.xlen(keys.refused(partition, "web")) for partition in range(PARTITIONS)) == 1


def test_a_message_sent_again_is_still_one_message(own: Server, tmp_path: Path) -> None:
    async def act(appender: Appender) -> None:
        await appender.put([item("a"), item("b")], [])
        own.stop()
        for _ in range(2):
            await appender.put([item("b"), item("c")], [])
        own.start()
        await straight(appender)
        await appender.put([item("c"), item("d")], [])

    with_appender(own.url, act, spool=spool_in(tmp_path))
    with looking_at(own.url) as client:
        assert stored(client) == ["a", "b", "c", "d"]


def test_the_next_collector_finds_what_the_last_one_kept(own: Server, tmp_path: Path) -> None:
    own.stop()

    with_appender(own.url, lambda appender: put_some(appender, 0, 30), spool=spool_in(tmp_path))
    kept = read_status(tmp_path)
    assert (kept.messages, kept.since) == (30, NOON)
    assert holding(tmp_path, "u1-0007") == [Held("web", NOON)]
    assert holding(tmp_path, "elsewhere") == []
    own.start()

    async def act(appender: Appender) -> None:
        await put_some(appender, 30, 60)
        await straight(appender)

    with_appender(own.url, act, spool=spool_in(tmp_path))
    with looking_at(own.url) as client:
        in_order(stored(client), 60)


def test_a_collector_brings_what_another_left_behind(own: Server, tmp_path: Path) -> None:
    async def act(appender: Appender) -> None:
        other = spool_in(tmp_path)
        await other.open()
        await other.add([([item("theirs")], [])])
        await appender.put([item("mine")], [])
        await other.close()
        with looking_at(own.url) as client:
            await soon(lambda: "theirs" in stored(client))
        await straight(appender)

    with_appender(own.url, act, spool=spool_in(tmp_path))
    assert read_status(tmp_path) == SpoolStatus()


def test_a_collector_starts_without_the_log_and_prepares_it_when_it_comes(own: Server, tmp_path: Path) -> None:
    prepared: list[bool] = []

    async def act(appender: Appender) -> None:
        await put_some(appender, 0, 3)
        assert prepared == []
        own.start()
        await straight(appender)

    def prepare() -> None:
        with looking_at(own.url) as client:
            assert stored(client) == []
            client.ping()
        prepared.append(True)

    own.stop()
    with_appender(own.url, act, spool=spool_in(tmp_path), prepare=prepare)
    assert prepared == [True]
    with looking_at(own.url) as client:
        in_order(stored(client), 3)


def test_a_log_that_belongs_to_another_configuration_gets_nothing(
    own: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def prepare() -> None:
        raise WorkerError("the log has 16 partitions, not 4")

    async def act(appender: Appender) -> None:
        await put_some(appender, 0, 3)
        await soon(lambda: "the log has 16 partitions" in caplog.text)

    with_appender(own.url, act, spool=spool_in(tmp_path), prepare=prepare)
    assert read_status(tmp_path).messages == 3
    with looking_at(own.url) as client:
        assert stored(client) == []


def test_a_partition_that_refuses_holds_up_no_other(own: Server, tmp_path: Path) -> None:
    users = {keys.partition_of("web", f"u{number}", PARTITIONS): f"u{number}" for number in range(100)}
    with looking_at(own.url) as client:

        async def act(appender: Appender) -> None:
            client.set(keys.seen_new(1), "not a set")
            with pytest.raises(LogRefused):
                await appender.put([item("m1", user=users[1])], [])
            own.stop()
            for round_ in range(2):
                for partition, user in sorted(users.items()):
                    await appender.put([item(f"{round_}-{partition}", user=user)], [])
            own.start()
            await soon(lambda: len(stored(client)) == 6)
            await appender.put([item("2-1", user=users[1])], [])
            client.delete(keys.seen_new(1))
            await straight(appender)

        with_appender(own.url, act, spool=spool_in(tmp_path))
        found = stored(client)
    assert [name for name in found if name.endswith("-1")] == ["0-1", "1-1", "2-1"]
    assert len(found) == 9


def test_what_came_for_a_source_that_is_gone_is_still_brought_to_the_log(own: Server, tmp_path: Path) -> None:
    async def act(appender: Appender) -> None:
        other = spool_in(tmp_path)
        await other.open()
        await other.add([([item("theirs", source="gone")], [])])
        await other.close()
        with looking_at(own.url) as client:
            await soon(lambda: stored(client, "gone") == ["theirs"])
        await straight(appender)

    with_appender(own.url, act, spool=spool_in(tmp_path))


def test_a_full_spool_is_said_and_recovers_when_the_log_is_back(own: Server, tmp_path: Path) -> None:
    taken: list[str] = []

    async def until_refused(appender: Appender) -> None:
        for number in range(1000):
            await appender.put([item(f"m{number:04d}", size=1000)], [])
            taken.append(f"m{number:04d}")

    async def act(appender: Appender) -> None:
        own.stop()
        with pytest.raises(LogUnavailable, match="and the spool of this collector is full") as found:
            await until_refused(appender)
        assert found.value.retry_after == 10
        assert "the spool of this collector is full" in (await appender.trouble() or "")
        own.start()
        await straight(appender)
        assert await appender.trouble() is None
        await appender.put([item("after")], [])

    with_appender(own.url, act, spool=spool_in(tmp_path, most_bytes=262_144))
    assert 100 < len(taken) < 262
    with looking_at(own.url) as client:
        assert stored(client) == [*taken, "after"], "no false yes, and nothing lost"


def test_a_full_log_and_a_full_spool_are_told_as_a_full_log(own: Server, tmp_path: Path) -> None:
    with looking_at(own.url) as client:

        async def act(appender: Appender) -> None:
            client.config_set("maxmemory", 1)
            with pytest.raises(LogFull, match="the log is full, and the spool of this collector is full"):
                await appender.put([item("a", size=100_000)], [])

        with_appender(own.url, act, spool=spool_in(tmp_path, most_bytes=65_536))


def test_without_a_spool_nothing_is_kept(own: Server, tmp_path: Path) -> None:
    async def act(appender: Appender) -> None:
        own.stop()
        with pytest.raises(LogUnavailable):
            await appender.put([item("a")], [])
        assert appender.spooled() is None
        own.start()

    with_appender(own.url, act)


def test_with_an_empty_spool_the_way_to_the_log_is_the_same(
    log_process: Server, log_client: "redis.Redis", tmp_path: Path
) -> None:
    async def act(appender: Appender) -> None:
        await asyncio.gather(*(appender.put([item(f"m{number}", user=f"u{number}")], []) for number in range(200)))

    with_appender(log_process.url, act, spool=spool_in(tmp_path))
    assert len(stored(log_client)) == 200
