"""Read the ids of stream entries: `milliseconds-sequence`, by the server's clock."""


def order_of(entry_id: bytes) -> tuple[int, int]:
    """What to sort by: as text, ids of different length sort wrongly."""
    milliseconds, _, sequence = entry_id.partition(b"-")
    return int(milliseconds), int(sequence)


def milliseconds_of(entry_id: str) -> int:
    """When the entry was appended, in milliseconds since 1970."""
    return int(entry_id.partition("-")[0])
