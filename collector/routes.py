"""Which paths take messages, and of which type."""

import re
from collections.abc import Iterator

import msgspec

BATCH = "batch"
_NAMES = {
    "identify": ("identify", "i"),
    "group": ("group", "g"),
    "track": ("track", "t"),
    "page": ("page", "p"),
    "screen": ("screen", "s"),
    "alias": ("alias", "a"),
    # SDKs differ in the name they give to the same thing.
    BATCH: ("batch", "b", "import"),
}


class Route(msgspec.Struct, frozen=True):
    path: str
    kind: str | None  # the type of its messages; None where each message names its own


def _routes() -> Iterator[tuple[str, Route]]:
    for kind, names in _NAMES.items():
        for name in names:
            # Both forms are served as they are: SDKs lose or double messages on a redirect.
            for path in (f"/v1/{name}", f"/v1/{name}/"):
                yield path, Route(path, None if kind == BATCH else kind)


ROUTES = dict(_routes())


def meant(path: str) -> str | None:
    """The route that somebody who posted to `path` was probably looking for."""
    parts = [part for part in re.split("/+", path.lower()) if part not in ("", "v1")]
    wanted = "/v1/" + "/".join(parts)
    return wanted if wanted in ROUTES and wanted != path else None
