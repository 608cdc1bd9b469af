"""Dead letters chosen like any message, requests shown without secrets, and a rate that is kept."""

import redis
from sqlalchemy import Engine

from destinations.registry import make
from tests.destinations.messages import envelope
from tests.worker.letters.letters import letter, moved, sent_again
from worker.letters.resend import resend
from worker.lines import Line
from worker.replay.deadletters import choose
from worker.replay.marking import marked
from worker.replay.rendering import rendered
from worker.replay.selection import Selection
from worker.replay.tempo import Tempo

ROUTES = {"web": ("hook",), "app": ("hook",)}
HOOK = {"url": "https://example.com/in?token=hush", "headers": {"Authorization": "Bearer hush-hush"}}


def test_dead_letters_are_chosen_by_their_messages(log_client: redis.Redis, database: Engine) -> None:
    records = [letter(f"m{n}", number=n, user=f"u{n % 2}", source="app" if n == 4 else "web") for n in range(6)]
    moved(log_client, database, *records)
    wanted = Selection(sources=("web",), users=("u0",), where="messageId != 'm2'")
    chosen = choose(database, wanted, "hook", ROUTES, samples=10)
    assert len(chosen.numbers) == 1
    assert resend(log_client, database, chosen.numbers, partitions=4) == 1
    assert sent_again(log_client) == ["m0"]


def test_letters_of_another_destination_are_left_alone(log_client: redis.Redis, database: Engine) -> None:
    moved(log_client, database, letter("m1", destination="other"))
    assert choose(database, Selection(sources=("web",)), "hook", ROUTES, samples=10).numbers == []


def test_letters_are_sent_in_parts_of_the_size_that_the_rate_allows(log_client: redis.Redis, database: Engine) -> None:
    moved(log_client, database, *[letter(f"m{n}", number=n) for n in range(5)])
    chosen = choose(database, Selection(sources=("web",)), "hook", ROUTES, samples=2)
    assert [len(part) for part in chosen.parts(2)] == [2, 2, 1]
    assert [len(part) for part in chosen.parts(0)] == [5]
    assert len(chosen.samples) == 2


def test_a_request_is_shown_as_the_destination_would_get_it_without_its_secrets() -> None:
    destination = make("hook", "webhook", HOOK, place="turnout.toml [destinations.hook]")
    shown = rendered(destination, Line("web", "r5f3a2", "hook"), marked(envelope(1).body, "r5f3a2"))
    assert shown.startswith("POST https://example.com/in")
    assert "X-Turnout-Replay: r5f3a2" in shown
    assert '"_turnout":{"replay":"r5f3a2"}' in shown
    assert "hush-hush" not in shown


def test_a_message_that_is_not_for_the_destination_is_shown_with_the_reason() -> None:
    destination = make("hook", "webhook", HOOK, place="turnout.toml [destinations.hook]")
    shown = rendered(destination, Line("web", "r5f3a2", "hook"), envelope(1, integrations={"hook": False}).body)
    assert shown == "nothing: FILTERED_BY_INTEGRATIONS_OBJECT"


def test_a_destination_without_requests_shows_the_message_and_cuts_what_is_long() -> None:
    destination = make("console", "console", {}, place="turnout.toml [destinations.console]")
    body = envelope(1, properties={"pad": "x" * 3_000}).body
    shown = rendered(destination, Line("web", "r5f3a2", "console"), body)
    assert shown.startswith(body[:2_000].decode())
    assert shown.endswith(f"... and {len(body) - 2_048} more bytes")


def test_a_rate_lets_through_a_quarter_of_a_second_at_once_and_then_waits() -> None:
    tempo = Tempo(100.0, now=0.0)
    assert tempo.at_once == 25
    assert tempo.wait(25, 0.0) == 0.25
    assert tempo.wait(25, 0.25) == 0.0
    assert tempo.wait(10, 0.25) == 0.1
    assert tempo.wait(25, 99.0) == 0.0
    assert tempo.wait(1, 99.0) > 0


def test_without_a_rate_nothing_waits_and_a_slow_one_still_goes_on() -> None:
    assert Tempo(0.0, now=0.0).wait(10_000, 0.0) == 0.0
    assert Tempo(0.1, now=0.0).at_once == 1
    assert Tempo(0.1, now=0.0).wait(1, 10.0) == 0.0
