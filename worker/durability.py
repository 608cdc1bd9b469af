"""What 200 means: the durability that the configuration names, held against the server's real settings."""

from typing import cast

import msgspec
import redis

from worker.config import Durability as Name


class Durability(msgspec.Struct, frozen=True):
    """`troubles` is empty when the server keeps what the name promises."""

    name: Name
    appendonly: str
    appendfsync: str
    replicas: int
    troubles: tuple[str, ...]


class ServerSettings(msgspec.Struct, frozen=True):
    """The settings that matter; '?' for one that the server does not tell."""

    appendonly: str
    appendfsync: str
    policy: str
    replicas: int


def judge(name: Name, found: ServerSettings) -> Durability:
    """Say where the server falls short of the name. Pure."""
    troubles: list[str] = []
    if found.appendonly != "yes":
        troubles.append(f"appendonly is {found.appendonly}: the log is gone when its server restarts")
    if name == "fsync" and found.appendfsync != "always":
        troubles.append(
            f"appendfsync is {found.appendfsync}, not always: acknowledged messages are lost when the server dies"
        )
    if name == "everysec" and found.appendfsync not in ("everysec", "always"):
        troubles.append(f"appendfsync is {found.appendfsync}: up to 30 s of messages are lost when the server dies")
    if name == "replica" and found.replicas < 1:
        troubles.append("no replica is connected: no message can be confirmed by one")
    if found.policy not in ("noeviction", "?"):
        troubles.append(f"maxmemory-policy is {found.policy}, not noeviction: the server may throw messages away")
    return Durability(name, found.appendonly, found.appendfsync, found.replicas, tuple(troubles))


def ask(client: "redis.Redis") -> ServerSettings:
    """Read the settings; a managed server that refuses CONFIG gives '?'."""
    try:
        found = cast(dict[str, str], client.config_get("appendonly", "appendfsync", "maxmemory-policy"))
    except redis.exceptions.ResponseError:
        found = {}
    text = {_text(key): _text(value) for key, value in found.items()}
    replicas = cast(dict[str, int], client.info("replication")).get("connected_slaves", 0)
    return ServerSettings(
        appendonly=text.get("appendonly", "?"),
        appendfsync=text.get("appendfsync", "?"),
        policy=text.get("maxmemory-policy", "?"),
        replicas=int(replicas),
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
