"""Which partition a user's messages go to, and that the number of partitions stays."""

import subprocess
import sys

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from worker import keys
from worker.errors import PartitionsChanged
from worker.settings import claim_partitions


@given(source=st.text(max_size=20), user=st.text(max_size=20), partitions=st.integers(1, 256))
def test_every_user_has_one_partition(source: str, user: str, partitions: int) -> None:
    found = keys.partition_of(source, user, partitions)
    assert 0 <= found < partitions
    assert found == keys.partition_of(source, user, partitions)


def test_another_process_finds_the_same_partition() -> None:
    program = "from worker.keys import partition_of; print(partition_of('web', 'Zoë', 8))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert int(told.stdout) == keys.partition_of("web", "Zoë", 8)


def test_users_spread_over_all_partitions() -> None:
    found = [keys.partition_of("web", f"user-{number}", 8) for number in range(4_000)]
    assert min(found.count(partition) for partition in range(8)) > 400


def test_a_source_and_a_user_do_not_run_into_each_other() -> None:
    assert keys.digest_of("a", "bc") != keys.digest_of("ab", "c")


def test_the_first_configuration_sets_the_number_of_partitions(log_client: redis.Redis) -> None:
    claim_partitions(log_client, 8)
    claim_partitions(log_client, 8)


def test_another_number_of_partitions_is_refused_with_both_named(log_client: redis.Redis) -> None:
    claim_partitions(log_client, 8)
    with pytest.raises(PartitionsChanged, match="8 partitions and the configuration says 4") as found:
        claim_partitions(log_client, 4)
    assert (found.value.stored, found.value.configured) == (8, 4)
