"""The pixel of Segment: a message in the address of an image."""

from collector.openapi.parts import Chapter, Operation, image, query
from schemas.catalog import KINDS
from schemas.limits import Limits

_PARAMETERS = (
    query("data", "The message as JSON, or as JSON in base64 of either alphabet, padded or not."),
    query("writeKey", "The write key; in `data` it may stand, too."),
    query("userId", "Any member of the message may be given so; dots make objects: `properties.subject=…`."),
    query("anonymousId", "An id for somebody who is not known."),
)


def chapter(limits: Limits) -> Chapter:
    return Chapter(
        title="Pixel",
        about="For mails and pages without scripts. The answer is an image whatever became of the message; what is "
        "refused goes to quarantine.",
        page="http-api.md#the-pixel",
        operations=tuple(
            Operation(
                path=f"/v1/pixel/{kind}",
                method="get",
                name=f"pixel_{kind}",
                summary=f"One {kind} message in the query",
                parameters=_PARAMETERS,
                replies={200: image("A transparent image of one pixel.")},
            )
            for kind in KINDS
        ),
    )
