"""Recognise the events that have a meaning of their own, however their names are written.

A name counts as a whole, by its letters and digits alone. Version 1 of the spec put the verb first.
"""

from schemas.remembered import Remembered

_NAMES = """
Products Searched, Product List Viewed, Product List Filtered, Promotion Viewed, Promotion Clicked, Product Clicked,
Product Viewed, Product Added, Product Removed, Cart Viewed, Checkout Started, Checkout Step Viewed,
Checkout Step Completed, Payment Info Entered, Order Updated, Order Completed, Order Refunded, Order Cancelled,
Coupon Entered, Coupon Applied, Coupon Denied, Coupon Removed, Product Added to Wishlist,
Product Removed from Wishlist, Wishlist Product Added to Cart, Product Shared, Cart Shared, Product Reviewed,
Account Created, Account Deleted, Signed Up, Signed In, Signed Out, Invite Sent, Account Added User,
Account Removed User, Trial Started, Trial Ended,
Application Installed, Application Opened, Application Backgrounded, Application Foregrounded, Application Updated,
Application Uninstalled, Application Crashed, Install Attributed, Push Notification Received,
Push Notification Tapped, Push Notification Bounced, Deep Link Opened, Deep Link Clicked,
Email Bounced, Email Delivered, Email Link Clicked, Email Marked as Spam, Email Opened, Unsubscribed,
Live Chat Conversation Started, Live Chat Conversation Ended, Live Chat Message Sent, Live Chat Message Received,
Experiment Viewed,
Conversation Started, Message Sent, Message Received, Conversation Ended, Action Invoked, Media Generated,
Component Loaded, Feedback Submitted,
Video Playback Started, Video Playback Paused, Video Playback Interrupted, Video Playback Buffer Started,
Video Playback Buffer Completed, Video Playback Seek Started, Video Playback Seek Completed, Video Playback Resumed,
Video Playback Completed, Video Playback Exited, Video Content Started, Video Content Playing,
Video Content Completed, Video Ad Started, Video Ad Playing, Video Ad Completed, Video Quality Updated,
Segment Consent Preference Updated
"""
_ALSO = {
    "Product Category Viewed": "Product List Viewed",
    "Viewed Product Category": "Product List Viewed",
    "Product Added to Cart from Wishlist": "Wishlist Product Added to Cart",
}


def _form(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower())) if name.isascii() else ""


def _verb_first(name: str) -> str:
    words = name.split()
    return " ".join([words[-1], *words[:-1]])


EVENTS = tuple(name.strip() for name in _NAMES.split(","))
_MEANINGS = (
    {_form(_verb_first(name)): name for name in EVENTS}
    | {_form(name): name for name in EVENTS}
    | {_form(name): event for name, event in _ALSO.items()}
)


class _Meanings(Remembered[str | None]):
    """From the name of an event to the reserved name that it stands for."""

    def _of(self, text: str) -> str | None:
        return _MEANINGS.get(_form(text))


_REMEMBERED = _Meanings()


def meaning(event: object) -> str | None:
    """The reserved name of the event as the spec writes it; None for an event of one's own."""
    return _REMEMBERED[event] if isinstance(event, str) else None
