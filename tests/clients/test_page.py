"""docs/clients.md shows what the code declares, and only what was seen."""

from pathlib import Path

import pytest

from tests.clients import certificate, page
from tests.clients.certificate import Client, Scenario, certified

CLIENT = Client(
    name="an-sdk",
    version="1.2.3",
    kind="server",
    language="Ada",
    points="`host`",
    scenarios={Scenario.CALLS: "", Scenario.AWAY: "gives up"},
    loses=frozenset({Scenario.AWAY}),
)


@pytest.fixture(autouse=True)
def own_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(certificate.VARIABLE, str(tmp_path / "record.jsonl"))


def test_the_page_shows_the_clients_versions_and_scenarios_that_the_code_declares() -> None:
    assert page.made(page.PAGE.read_text()) == page.tables(certificate.clients())


def test_no_client_is_declared_twice() -> None:
    names = [(client.name, client.version, client.kind) for client in certificate.clients()]
    assert len(set(names)) == len(names)


def test_every_client_is_of_a_kind_that_the_page_has_a_table_for() -> None:
    assert {client.kind for client in certificate.clients()} <= page.KINDS.keys()


def test_what_passed_is_recorded() -> None:
    with certified(CLIENT, Scenario.CALLS):
        pass
    (seen,) = certificate.latest(certificate.record())
    assert (seen.client, seen.version, seen.scenario, seen.passed) == ("an-sdk", "1.2.3", Scenario.CALLS, True)


def test_the_last_word_of_a_scenario_counts() -> None:
    with certified(CLIENT, Scenario.CALLS):
        pass
    with pytest.raises(ZeroDivisionError), certified(CLIENT, Scenario.CALLS):
        raise ZeroDivisionError
    (seen,) = certificate.latest(certificate.record())
    assert not seen.passed


def test_what_was_not_seen_to_pass_is_lacking() -> None:
    with certified(CLIENT, Scenario.CALLS):
        pass
    found = certificate.latest(certificate.record())
    assert page.lacking([CLIENT], found) == {("an-sdk", "1.2.3", Scenario.AWAY)}


def test_a_table_marks_what_was_seen_and_notes_what_the_client_does() -> None:
    assert page.tables([CLIENT]) == (
        "## On servers\n\n"
        "| client | version | language | every call | 503 | pointed here by |\n"
        "|---|---|---|---|---|---|\n"
        "| an-sdk | 1.2.3 | Ada | ✓ | ✗ <sup>1</sup> | `host` |\n\n"
        "## Notes\n\n1. gives up\n"
    )


def test_making_the_page_again_changes_nothing_around_it() -> None:
    text = f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n"
    assert page.replaced(text, "new\n") == f"before\n{page.BEGIN}\n\nnew\n\n{page.END}\nafter\n"
