"""Say how large a message and a request may be. Each limit can be set in the configuration."""

from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=1)]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a client may send at most."""

    message_bytes: Count = 32_768
    """One message as UTF-8 JSON."""
    body_bytes: Count = 4_194_304
    """One request after decompression. Documented are 500 KB, but real SDKs overshoot by megabytes."""
    batch_messages: Count = 2_500
    message_id_chars: Annotated[int, msgspec.Meta(ge=1, le=100)] = 100
    """Can only be lowered: the JSON Schema of a message already refuses a longer messageId."""
    depth: Annotated[int, msgspec.Meta(ge=1, le=200)] = 64
    """Objects and arrays inside each other. At most 200, so that whatever was read can be written again."""
