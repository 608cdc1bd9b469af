"""A destination that greets everybody who is identified."""

from typing import Annotated

from msgspec import Meta

from destinations.plugin import (
    Built,
    Envelope,
    Filtered,
    HttpDestination,
    HttpSettings,
    HttpUrl,
    Identify,
    Request,
    Secret,
)


class Settings(HttpSettings, frozen=True):
    url: Annotated[HttpUrl, Meta(description="Where greetings are posted.")]
    token: Annotated[Secret, Meta(description="Sent as a bearer token.")]


class Greeting(HttpDestination[Settings]):
    shape = Settings

    def build(self, envelope: Envelope, settings: Settings) -> Built:
        message = envelope.open()
        if not isinstance(message, Identify):
            return Filtered("only people who are identified are greeted")
        greeting = {"id": message.message_id, "text": f"Hello, {message.traits.get('name', 'stranger')}!"}
        return Request.json("POST", settings.url, greeting, {"Authorization": f"Bearer {settings.token.reveal()}"})
