"""Where the archive of a source is."""

from pathlib import Path

from worker.config import ARCHIVE, Config


def archive_of(config: Config, source: str) -> Path | None:
    """None when the source has none that can be read here."""
    for name in config.sources[source].destinations:
        table = config.destinations[name]
        if table.type == ARCHIVE:
            return Path(str(table.settings["dir"])).expanduser()
    return None
