"""Everything that the author of a destination imports, in one place."""

from destinations.adapter import Destination
from destinations.errors import Unfit
from destinations.http.destination import Built, HttpDestination
from destinations.http.interpret import by_status
from destinations.http.lanes import Packing
from destinations.http.request import Answer, Request
from destinations.http.settings import HttpSettings
from destinations.http.values import HeaderName, HeaderValue, HttpUrl
from destinations.outcome import Deferred, Delivered, Filtered, Outcome, Rejected
from destinations.values import Duration, Secret
from schemas.envelope import Envelope
from schemas.message import Alias, Group, Identify, Message, Page, Screen, Track
from schemas.readers.reader import Reader

__all__ = [
    "Alias",
    "Answer",
    "Built",
    "Deferred",
    "Delivered",
    "Destination",
    "Duration",
    "Envelope",
    "Filtered",
    "Group",
    "HeaderName",
    "HeaderValue",
    "HttpDestination",
    "HttpSettings",
    "HttpUrl",
    "Identify",
    "Message",
    "Outcome",
    "Packing",
    "Page",
    "Reader",
    "Rejected",
    "Request",
    "Screen",
    "Secret",
    "Track",
    "Unfit",
    "by_status",
]
