"""How full the log server is, by its own words."""

import msgspec

from collector.exchange import Exchange, command


class Memory(msgspec.Struct, frozen=True):
    """In bytes; `most` is 0 where the server has no limit, or does not tell."""

    used: int
    most: int

    @property
    def share(self) -> float:
        return self.used / self.most if self.most else 0.0


async def memory_of(exchange: Exchange) -> Memory:
    """Ask the server. Raises RedisError, OSError or TimeoutError where it does not answer."""
    async with exchange.link() as link:
        (answer,) = await link.ask([command("INFO", "memory")])
    return read(answer) if isinstance(answer, bytes) else Memory(0, 0)


def read(info: bytes) -> Memory:
    pairs = dict(line.split(b":", 1) for line in info.splitlines() if b":" in line)
    return Memory(int(pairs.get(b"used_memory", 0)), int(pairs.get(b"maxmemory", 0)))
