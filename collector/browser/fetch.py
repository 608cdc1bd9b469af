"""Fetches the published library of browsers from the npm registry, and believes only what the pinned hash confirms."""

import base64
import hashlib
import http.client
import io
import os
import re
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from collector.browser.published import NAME, PINS, SCRIPT, Pin, wanted

DEFAULT_REGISTRY = "https://registry.npmjs.org"
ANSWERS_WITHIN = 20.0
LARGEST_TARBALL = 16 << 20
LARGEST_FILE = 2 << 20

_SETTING = re.compile(r"\s*([^=\s]+)\s*=\s*(.*?)\s*")
_CREDENTIALS = re.compile(r"[^/]*//[^/]*@([^/]*)")
_VARIABLE = re.compile(r"\$\{([^}]+)\}")


class NotFetched(Exception):
    """The library is not here, for this reason."""


def fetch(into: Path, registry: str, pins: Sequence[Pin] = PINS) -> list[Path]:
    """The directory of each pinned version, fetched unless it is there. Raises NotFetched."""
    return [_there(pin, into) or unpack(download(pin, registry), pin, into) for pin in pins]


def unpack_file(tarball: Path, into: Path, pins: Sequence[Pin] = PINS) -> Path:
    """The same from a tarball that somebody brought along. Raises NotFetched."""
    try:
        packed = tarball.read_bytes()
    except OSError as error:
        raise NotFetched(f"{tarball} cannot be read: {error.strerror}") from error
    pin = next((pin for pin in pins if _hash(packed) == pin.integrity), None)
    if pin is None:
        versions = " or ".join(f"{NAME} {pin.version}" for pin in pins)
        raise NotFetched(f"{tarball} is not the published {versions}: its hash is another")
    return unpack(packed, pin, into)


def address_of(pin: Pin, registry: str) -> str:
    return f"{registry.rstrip('/')}/{NAME}/-/{NAME.rpartition('/')[2]}-{pin.version}.tgz"


def download(pin: Pin, registry: str) -> bytes:
    """The tarball as it was published. Raises NotFetched."""
    if named := _CREDENTIALS.match(registry):
        # Before anything else: errors quote the address.
        raise NotFetched(f"the address of the registry {named[1]} holds a name or a password: neither is sent")
    address = address_of(pin, registry)
    if not address.startswith(("https://", "http://")):
        raise NotFetched(f"the registry {registry} is no http or https address")
    try:
        # Proxies and certificates are those of the system's environment.
        with urllib.request.urlopen(address, timeout=ANSWERS_WITHIN) as answer:  # noqa: S310 - looked at just above
            packed: bytes = answer.read(LARGEST_TARBALL + 1)
    except urllib.error.HTTPError as error:
        raise NotFetched(f"{address} answers {error.code} {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NotFetched(f"{address} cannot be reached: {getattr(error, 'reason', None) or error}") from error
    if _hash(packed) != pin.integrity:
        raise NotFetched(f"what {address} gives is not what was published: its hash is another")
    return packed


def unpack(packed: bytes, pin: Pin, into: Path) -> Path:
    """Puts what is wanted of a tarball into a directory of its version, all at once. Raises NotFetched."""
    target = into / pin.version
    fresh: Path | None = None
    try:
        into.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".", dir=into))
        fresh.chmod(0o755)
        for name, content in _files(packed):
            (fresh / name).write_bytes(content)
        if not (fresh / SCRIPT).exists():
            raise NotFetched(f"{NAME} {pin.version} holds no {SCRIPT}")
        _put_in_place(fresh, target)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise NotFetched(f"{into} cannot be written: {error}") from error
    finally:
        if fresh is not None:
            shutil.rmtree(fresh, ignore_errors=True)
    return target


def registry_of(environment: Mapping[str, str], home: Path) -> str:
    """The registry that npm would ask: that of the scope before the general one, the environment before ~/.npmrc."""
    scope = f"{NAME.partition('/')[0]}:registry"
    variables = {name.lower(): value for name, value in environment.items() if name.lower().startswith("npm_config_")}
    told = {name.removeprefix("npm_config_"): value for name, value in variables.items()}
    file = Path(told.get("userconfig") or home / ".npmrc")
    written = dict(_settings(file, environment))
    for name in (scope, "registry"):
        if found := told.get(name) or written.get(name):
            return found
    return DEFAULT_REGISTRY


def _settings(file: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    for line in text.splitlines():
        match = _SETTING.fullmatch(line)
        if match and not match[1].startswith(("#", ";")):
            value = match[2].strip("\"'")
            yield match[1], _VARIABLE.sub(lambda found: environment.get(found[1], found[0]), value)


def _there(pin: Pin, into: Path) -> Path | None:
    target = into / pin.version
    return target if (target / SCRIPT).is_file() else None


def _hash(packed: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()


def _files(packed: bytes) -> Iterator[tuple[str, bytes]]:
    """The wanted files, by names without a directory: nothing in a tarball says where they are written."""
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            directory = path.parent.as_posix()
            if not (member.isreg() and directory in ("package", "package/dist/umd") and wanted(path.name)):
                continue
            if member.size > LARGEST_FILE:
                raise NotFetched(f"{member.name} has {member.size} bytes, more than a script for a page has")
            file = archive.extractfile(member)
            assert file is not None, "a regular file has a content"
            yield path.name, file.read()


def _put_in_place(fresh: Path, target: Path) -> None:
    try:
        os.rename(fresh, target)
    except OSError:
        # Somebody else was quicker, or left half of it behind.
        if not (target / SCRIPT).is_file():
            shutil.rmtree(target, ignore_errors=True)
            os.rename(fresh, target)
