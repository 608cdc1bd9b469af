"""`turnout send`: make a message, or take some from a file, and post them."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from collector.cli.options import ConfigFile, DataDirectory, configured
from collector.cli.trouble import FOUND, WRONG, Trouble

if TYPE_CHECKING:
    from ssl import SSLContext

    from collector.config import Config

Kind = Literal["track", "identify", "group", "page", "screen", "alias"]
AT_ONCE = 100
"""Messages in one request when a file holds more."""


def send(
    kind: Annotated[Kind | None, typer.Argument(help="The type of the message.")] = None,
    name: Annotated[
        str | None,
        typer.Argument(help="track: the event; page, screen: its name; group: the group id; alias: the previous id."),
    ] = None,
    user: Annotated[str | None, typer.Option("--user", "-u", help="The userId.")] = None,
    anonymous: Annotated[str | None, typer.Option("--anonymous", "-a", help="The anonymousId; else a new one.")] = None,
    properties: Annotated[
        list[str] | None,
        typer.Option("--property", "-P", metavar="KEY=VALUE", help="key=text, or key:=JSON. Can be repeated."),
    ] = None,
    traits: Annotated[
        list[str] | None,
        typer.Option("--trait", "-T", metavar="KEY=VALUE", help="key=text, or key:=JSON. Can be repeated."),
    ] = None,
    file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Send what a JSON file holds; - for standard input.")
    ] = None,
    url: Annotated[str | None, typer.Option(envvar="TURNOUT_URL", help="Where Turnout listens.")] = None,
    key: Annotated[str | None, typer.Option(envvar="TURNOUT_WRITE_KEY", help="The write key.")] = None,
    source: Annotated[str | None, typer.Option("--source", "-s", help="Use the write key of this source.")] = None,
    config: ConfigFile = None,
    data: DataDirectory = None,
) -> None:
    """Post a message, and show the answer.

    turnout send track "Signed Up" --user u1 --property plan=pro
    """
    from collector.cli import post

    if (kind is None) == (file is None):
        raise Trouble("send needs either a type of message or --json FILE", code=WRONG)
    posts: list[tuple[str, dict[str, Any]]]
    if kind is not None:
        posts = [(kind, message(kind, name, user, anonymous, fields(properties), fields(traits)))]
    else:
        posts = post.posts_of(post.read(str(file)), AT_ONCE)
    trust = None
    if url is None or key is None:
        settings = configured(config, data)
        trust = trusted(settings) if url is None else None
        url, key = url or where(settings), key or key_of(settings, source)
    answers = [post.send(url, key, path, body, trust) for path, body in posts]
    for answer in answers:
        typer.echo(f"{answer.status} {answer.text}")
    if not all(answer.accepted for answer in answers):
        raise typer.Exit(FOUND)


def message(
    kind: Kind,
    name: str | None,
    user: str | None,
    anonymous: str | None,
    properties: dict[str, Any],
    traits: dict[str, Any],
) -> dict[str, Any]:
    """The message that these words describe; what is wrong with it is the collector's to say."""
    import uuid

    who = {"userId": user} if user else {}
    if anonymous or not user:
        who["anonymousId"] = anonymous or str(uuid.uuid4())
    body: dict[str, Any] = {"type": kind, **who}
    if name is not None:
        named = {"track": "event", "group": "groupId", "alias": "previousId", "page": "name", "screen": "name"}
        if kind not in named:
            raise Trouble(f"{kind} takes no name: {name!r}", code=WRONG)
        body[named[kind]] = name
    if properties:
        body["properties"] = properties
    if traits:
        body["traits"] = traits
    return body


def fields(pairs: list[str] | None) -> dict[str, Any]:
    """`plan=pro` is text, `seats:=3` is JSON."""
    import msgspec

    found: dict[str, Any] = {}
    for pair in pairs or []:
        key, sign, value = pair.partition("=")
        if not sign or not key.rstrip(":"):
            raise Trouble(f"{pair!r} is neither key=text nor key:=JSON", code=WRONG)
        if not key.endswith(":"):
            found[key] = value
            continue
        try:
            found[key[:-1]] = msgspec.json.decode(value)
        except msgspec.DecodeError as error:
            raise Trouble(f"{pair!r}: what follows := is not JSON", code=WRONG) from error
    return found


def where(config: "Config") -> str:
    """Where the Turnout of this configuration listens."""
    from collector import run
    from collector.reaching import url_of

    running = run.read(config.data)
    return running.url if running else url_of(config.collector)


def key_of(config: "Config", source: str | None) -> str:
    """A key that it knows."""
    name = source or next(iter(config.write_keys))
    if name not in config.write_keys:
        raise Trouble(f"there is no source {name!r}; there are {', '.join(config.write_keys)}", code=WRONG)
    return config.write_keys[name][0].reveal()


def trusted(config: "Config") -> "SSLContext | None":
    """Its own certificate, which nobody else may vouch for."""
    from collector.tls import Unusable, trusting

    try:
        return trusting(config.collector.tls)
    except Unusable as error:
        raise Trouble(f"{config.path} [collector] tls: {error}") from error
