"""Tarballs as a registry has them, made for a test."""

import base64
import hashlib
import io
import tarfile
from collections.abc import Mapping

from collector.browser.published import Pin

FILES = {
    "package/package.json": b"{}",
    "package/LICENSE.MD": b"MIT",
    "package/dist/umd/standalone.js": b"script()",
    "package/dist/umd/standalone.js.gz": b"packed script",
    "package/dist/umd/standalone.js.map": b"{}",
    "package/dist/umd/index.js": b"not served",
    "package/dist/umd/407.bundle.61efa1acb302134c434b.js": b"chunk()",
    "package/dist/umd/407.bundle.61efa1acb302134c434b.js.gz": b"packed chunk",
    "package/src/standalone.js": b"elsewhere",
}


def tarball(files: Mapping[str, bytes] = FILES, *, link: tuple[str, str] | None = None) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        if link is not None:
            entry = tarfile.TarInfo(link[0])
            entry.type, entry.linkname = tarfile.SYMTYPE, link[1]
            archive.addfile(entry)
    return made.getvalue()


def pin_of(packed: bytes, version: str = "1.2.3") -> Pin:
    return Pin(version, "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode())
