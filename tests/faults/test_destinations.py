"""F42 to F56: a destination is down, slow, busy, confused or choosy; the one beside it notices nothing."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.lasting import lasts
from tests.faults.report import Row
from tests.faults.scale import Scale
from tests.faults.stations import Stations, Visit, messages_of, number_of
from tests.ledger import Ledger
from tests.receiver import Act, Answer, Hang, Raw, Received, Receiver, Reset

IN_BATCHES = "batch_size = 20"

SETTINGS = {
    "F42": IN_BATCHES,
    "F43": IN_BATCHES,
    "F44": IN_BATCHES,
    "F45": IN_BATCHES,
    "F46": "",
    "F47": IN_BATCHES,
    "F48": IN_BATCHES,
    "F49": IN_BATCHES,
    "F50": IN_BATCHES,
    "F54": IN_BATCHES,
    "F58": IN_BATCHES,
    "F55": f'{IN_BATCHES}\nretry = {{ first = "100ms", longest = "200ms", horizon = "1500ms" }}',
}

GARBAGE: list[Act] = [
    Raw(b"\x00\x01\x02 this is not HTTP\r\n\r\n"),
    Raw(b"hello\n"),
    Raw(b"HTTP/1.1 999999 What\r\n\r\n"),
    Raw(b"HTTP/1.1 500 No\r\nContent-Type: application/json\r\n\r\n{not json"),
    Raw(b""),
]


@pytest.fixture(scope="module")
def stations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stations]:
    found = Stations(tmp_path_factory.mktemp("stations"), SETTINGS)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture
def visit(request: pytest.FixtureRequest, stations: Stations, tell: Callable[[Row], None]) -> Visit:
    mark = request.node.get_closest_marker("scenario")
    assert mark is not None, "say which scenario it is"
    return Visit(stations, mark.args[0], tell)


@pytest.mark.scenario("F42")
def test_a_destination_that_is_down_costs_only_its_own_messages_time(visit: Visit, scale: Scale) -> None:
    visit.receiver.__exit__()
    with visit.load() as ledger:
        ledger.grows_by(100)
        lasts(scale.seconds(1, 120))
        visit.calm_goes_on()
        assert visit.at_hook() == []
        visit.receiver = visit.station.receiver = Receiver(port=visit.receiver.port).__enter__()
        visit.over()
    visit.prove()


@pytest.mark.scenario("F43")
def test_a_slow_destination_slows_nobody_else(visit: Visit, scale: Scale) -> None:
    rounds = scale.of(1, 10)
    visit.receiver.always(Answer(after=0.7))
    with visit.load() as ledger:
        for _ in range(rounds):
            ledger.grows_by(100)
            visit.calm_goes_on()
            lasts(scale.seconds(0.5, 3))
        visit.receiver.always(Answer())
        visit.over()
    # What is under way when the time of a delivery is over is cut off, and repeated.
    visit.prove(repeats=rounds * 6 * 20 * 2)


@pytest.mark.scenario("F44")
def test_a_destination_that_comes_and_goes_gets_everything(visit: Visit, scale: Scale) -> None:
    with visit.load() as ledger:
        for _ in range(scale.of(2, 20)):
            visit.receiver.always(Answer(503))
            ledger.grows_by(40)
            lasts(scale.seconds(0.4, 10))
            visit.receiver.always(Answer())
            visit.over()
            lasts(scale.seconds(0, 10))
            visit.calm_goes_on()
    visit.prove()


@pytest.mark.scenario("F45")
def test_a_busy_destination_is_left_alone_for_as_long_as_it_asks(visit: Visit, scale: Scale) -> None:
    wait = scale.of(2, 20)
    with visit.load() as ledger:
        visit.receiver.always(Answer(429, {"Retry-After": str(wait)}))
        ledger.grows_by(40)
        visit.receiver.wait_for(1)
        asked = len(visit.receiver.requests)
        lasts(wait / 2)
        assert len(visit.receiver.requests) <= asked + 2, "what was under way, and nothing more"
        visit.calm_goes_on()
        visit.receiver.always(Answer())
        assert visit.over() < wait + 5
        for absurd in ("-1", "soon", "Thu, 01 Jan 1970 00:00:00 GMT"):
            visit.receiver.then(Answer(429, {"Retry-After": absurd}))
            ledger.grows_by(20)
            assert visit.over() < 10
    visit.prove()


@pytest.mark.scenario("F46")
def test_what_is_refused_dies_alone_and_what_fails_holds_up_only_its_user(visit: Visit) -> None:
    tried: set[int] = set()

    def act(request: Received) -> Act:
        number = number_of(request.json())
        if number % 25 == 5:
            return Answer(400, body=b'{"error": "five"}')
        if number % 25 in (3, 7) and number not in tried:
            tried.add(number)
            return Answer(503)
        return Answer()

    visit.receiver.always(act)
    with visit.load() as ledger:
        ledger.grows_by(150)
        visit.over()
        visit.calm_goes_on()
    bad = {message_id for message_id in ledger.ids() if int(message_id.rpartition("-")[2]) % 25 == 5}
    assert tried
    visit.prove(dead=bad)


@pytest.mark.scenario("F47")
def test_garbage_is_never_taken_for_a_yes(visit: Visit, scale: Scale) -> None:
    with visit.load() as ledger:
        for _ in range(scale.of(1, 10)):
            ledger.grows_by(40)
            visit.receiver.then(*GARBAGE)
            visit.over()
            visit.calm_goes_on()
    visit.prove()


@pytest.mark.scenario("F48")
def test_a_destination_that_hangs_holds_up_nobody_else(visit: Visit, scale: Scale) -> None:
    visit.receiver.always(Hang())
    with visit.load() as ledger:
        ledger.grows_by(100)
        lasts(scale.seconds(1, 60))
        visit.calm_goes_on()
        visit.receiver.always(Answer())
        visit.receiver.release()
        visit.over()
    visit.prove()


@pytest.mark.scenario("F49")
def test_a_cut_after_the_request_repeats_and_loses_nothing(visit: Visit, scale: Scale) -> None:
    with visit.load() as ledger:
        for _ in range(scale.of(1, 20)):
            visit.receiver.then(*[Reset()] * 5)
            ledger.grows_by(60)
            visit.over()
        visit.calm_goes_on()
    visit.prove()


@pytest.mark.scenario("F50")
def test_a_destination_that_refuses_our_key_keeps_its_messages_waiting(visit: Visit, scale: Scale) -> None:
    visit.receiver.always(Answer(401, body=b'{"error": "revoked"}'))
    with visit.load() as ledger:
        ledger.grows_by(60)
        visit.receiver.wait_for(1)
        lasts(scale.seconds(1, 20))
        visit.calm_goes_on()
        assert len(visit.receiver.requests) <= 3, "nobody knocks on a door that is shut"
        assert visit.dead() == set()
        visit.receiver.always(Answer())
        resumed = visit.turnout.command("resume", visit.station.hook)
        assert resumed.returncode == 0, resumed.stderr
        visit.over()
    visit.prove()


@pytest.mark.scenario("F54")
def test_a_message_that_is_always_refused_dies_alone(visit: Visit) -> None:
    def act(request: Received) -> Act:
        bad = any(number_of(message) % 50 == 10 for message in messages_of(request.json()))
        return Answer(400, body=b'{"error": "bad"}') if bad else Answer()

    visit.receiver.always(act)
    with visit.load() as ledger:
        ledger.grows_by(150)
        visit.over()
        visit.calm_goes_on()
    bad = {message_id for message_id in ledger.ids() if int(message_id.rpartition("-")[2]) % 50 == 10}
    visit.prove(dead=bad)


@pytest.mark.scenario("F55")
def test_a_message_past_its_horizon_dies_as_expired_and_the_rest_stays_in_order(visit: Visit) -> None:
    def act(request: Received) -> Act:
        return Answer(503) if any(number_of(message) < 20 for message in messages_of(request.json())) else Answer()

    visit.receiver.always(act)
    with visit.load(users=4) as ledger:
        ledger.grows_by(100)
        visit.over()
    assert {letter["code"] for letter in visit.letters()} == {"expired"}
    visit.prove(dead=visit.dead())


@pytest.mark.scenario("F58")
def test_a_noisy_source_does_not_hold_up_a_quiet_one(visit: Visit, scale: Scale) -> None:
    noise = Ledger(visit.turnout, threads=2, batch=100, name="noise", key="f43")
    with noise, visit.load(batch=5) as ledger:
        noise.grows_by(500)
        for _ in range(scale.of(2, 20)):
            ledger.grows_by(20)
            visit.calm_goes_on()
            assert visit.over() < 3
    visit.prove()
