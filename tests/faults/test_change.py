"""F57 to F60: many sources, a noisy one, and a configuration that changes while messages flow."""

import itertools
from pathlib import Path

import pytest

from tests.faults.lasting import lasts
from tests.faults.scale import Scale
from tests.faults.trial import IN_HAND, Trial
from tests.running import running
from tests.waiting import eventually


@pytest.mark.soak
@pytest.mark.scenario("F57")
def test_many_sources_with_little_each_are_all_delivered(tmp_path: Path, scale: Scale) -> None:
    sources = [f"s{number}" for number in range(scale.of(60, 2_000))]
    tables = [f'[sources.{name}]\nwrite_keys = ["{name}"]\narchive = false\n' for name in sources]
    file = f'[destinations.file]\ntype = "file"\npath = "{tmp_path}/all.jsonl"\n'
    with running(tmp_path, "[log]\npartitions = 2\n" + "".join(tables) + file) as turnout:
        for name in sources:
            assert turnout.post("/v1/track", {"userId": name, "event": "One"}, key=name)[0] == 200
        eventually(lambda: (tmp_path / "all.jsonl").read_text().count("\n") == len(sources), within=60)


@pytest.mark.scenario("F59")
def test_changes_of_the_configuration_under_load_lose_nothing(trial: Trial, scale: Scale) -> None:
    town = trial.town
    last = scale.of(2, 100)
    with trial.load() as ledger:
        trial.over()
        for version in range(1, last + 1):
            ledger.grows_by(20)
            town.configure(headers=f'X-Version = "{version}"')
            eventually(lambda: town.versions()[-1:] == [str(version)], within=30, what="the new settings held")  # noqa: B023
        trial.over()
        town.configure()
    trial.prove(repeats=last * IN_HAND)
    seen = [int(version) for version, _ in itertools.groupby(town.versions()) if version]
    assert set(seen) == set(range(1, last + 1)), "each held at some time"


@pytest.mark.scenario("F60")
def test_a_broken_configuration_changes_nothing(trial: Trial, scale: Scale) -> None:
    town = trial.town
    file = town.directory / "turnout.toml"
    good = file.read_text()
    with trial.load() as ledger:
        trial.over()
        file.write_text(good.replace("[sources.web]", "[sources"))
        lasts(scale.seconds(1.5, 20))
        trial.over()
        file.write_text(good)
    assert set(ledger.answers) == {200}
    trial.prove()
