"""One Turnout for many faults, made anew when one of them left it unwell."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.report import Row
from tests.faults.scale import Scale, current
from tests.faults.table import ROWS
from tests.faults.town import Town
from tests.faults.trial import Trial
from tests.waiting import eventually


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.faults)
    if not current().long:
        long = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Callable[[Row], None]:
    """Puts a row into the table."""
    return pytestconfig.stash.setdefault(ROWS, []).append


@pytest.fixture(scope="session")
def scale() -> Scale:
    return current()


class _Towns:
    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._town: Town | None = None

    def one(self) -> Town:
        """The town of the last test, if it is well; else a new one."""
        if self._town is not None and (self._town.spoilt or not self._well(self._town)):
            self.close()
        if self._town is None:
            self._town = Town(self._factory.mktemp("town"))
            self._town.start()
        return self._town

    def _well(self, town: Town) -> bool:
        try:
            return eventually(town.well, within=20)
        except AssertionError:
            return False

    def close(self) -> None:
        """A town that is left well has to have its books in order, after all that was done to it.

        Not where its clock went back: the audit leaves out what is dated later than now.
        """
        town, self._town = self._town, None
        if town is None:
            return
        try:
            if not town.spoilt and not town.clock.moved and self._well(town):
                assert town.audit() == "", "the audit does not balance"
        finally:
            town.stop()


@pytest.fixture(scope="package")  # whoever goes on to other tests need not share the machine with it
def _towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Towns]:
    towns = _Towns(tmp_path_factory)
    yield towns
    towns.close()


@pytest.fixture
def trial(request: pytest.FixtureRequest, _towns: _Towns, tell: Callable[[Row], None]) -> Trial:
    """A fault about to happen to a Turnout that is well; the test says which with @pytest.mark.scenario."""
    mark = request.node.get_closest_marker("scenario")
    assert mark is not None, "say which scenario it is"
    return Trial(mark.args[0], _towns.one(), tell)
