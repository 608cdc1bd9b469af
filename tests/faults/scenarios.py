"""Every fault that Turnout is meant to survive, and the tests that try it."""

from dataclasses import dataclass

HERE = "tests/faults"
COLLECTOR = f"{HERE}/test_collector.py"
LOG = f"{HERE}/test_log_server.py"
DESTINATIONS = f"{HERE}/test_destinations.py"
CLOCK = f"{HERE}/test_clock.py"
WORKERS = f"{HERE}/test_workers.py"


@dataclass(frozen=True)
class Scenario:
    """`why_not`: what keeps it, or a part of it, from being tried."""

    id: str
    fault: str
    tests: tuple[str, ...] = ()
    soak_only: bool = False
    why_not: str = ""

    @property
    def command(self) -> str:
        """What shows it; empty where nothing does."""
        if not self.tests:
            return ""
        return f'make {"soak" if self.soak_only else "test"} ARGS="-k {self.id}"'


def _all() -> list[Scenario]:
    return [
        Scenario(
            "F01",
            "collector killed after the append, before the answer",
            (f"{COLLECTOR}::test_a_collector_that_dies_around_the_append_leaves_each_message_once",),
        ),
        Scenario(
            "F02",
            "collector killed before the append",
            (f"{COLLECTOR}::test_a_collector_that_dies_around_the_append_leaves_each_message_once",),
        ),
        Scenario(
            "F03",
            "collectors killed at random under load",
            (f"{COLLECTOR}::test_killed_collectors_cost_clients_a_repeat_and_no_message",),
        ),
        Scenario(
            "F04",
            "clients that hang up in the middle of a body",
            (f"{COLLECTOR}::test_half_bodies_leave_nothing_behind",),
        ),
        Scenario(
            "F05",
            "collector stopped with SIGTERM under load",
            (f"{COLLECTOR}::test_a_restart_answers_nothing_but_yes_and_later",),
        ),
        Scenario(
            "F06",
            "collector stands still",
            (f"{COLLECTOR}::test_while_one_collector_stands_still_the_other_takes_messages",),
        ),
        Scenario("F07", "too many open connections", (f"{COLLECTOR}::test_many_idle_connections_keep_nobody_out",)),
        Scenario(
            "F08", "log server killed under load", (f"{LOG}::test_a_killed_log_server_has_what_was_acknowledged",)
        ),
        Scenario(
            "F09",
            "power cut at the log server",
            (f"{LOG}::test_after_a_power_cut_everything_acknowledged_is_on_the_disk",),
        ),
        Scenario(
            "F10", "slow disk, then the log server killed", (f"{LOG}::test_a_slow_disk_makes_slow_answers_and_no_loss",)
        ),
        Scenario("F11", "log server stands still", (f"{LOG}::test_a_log_server_that_stands_still_doubles_nothing",)),
        Scenario("F12", "log server out of memory", (f"{LOG}::test_a_log_out_of_memory_is_still_emptied",)),
        Scenario(
            "F13", "disk of the log server full", (f"{LOG}::test_a_full_disk_ends_the_log_server_and_loses_nothing",)
        ),
        Scenario(
            "F14", "log server made a replica, and back", (f"{LOG}::test_a_log_that_became_read_only_is_waited_for",)
        ),
        Scenario(
            "F15",
            "master dies, its replica takes over",
            (f"{LOG}::test_a_replica_that_takes_over_has_what_was_acknowledged",),
        ),
        Scenario("F16", "log server loads its files", (f"{LOG}::test_while_the_log_loads_its_files_it_is_waited_for",)),
        Scenario(
            "F17", "append-only file cut short", (f"{LOG}::test_a_file_cut_short_has_each_batch_whole_or_not_at_all",)
        ),
        Scenario(
            "F18",
            "connection to the log cut in the middle of an answer",
            (f"{LOG}::test_answers_cut_short_double_nothing_in_the_log",),
        ),
        Scenario(
            "F21",
            "worker killed",
            (
                f"{WORKERS}::test_a_killed_worker_is_replaced_at_once",
                "tests/worker/test_crash_points.py::test_a_crash_repeats_at_most_the_batch_in_hand_and_loses_nothing",
            ),
        ),
        Scenario(
            "F22",
            "worker stands still for longer than its lease",
            (f"{WORKERS}::test_what_a_worker_wrote_after_its_lease_does_not_count",),
        ),
        Scenario(
            "F23",
            "RQ's server killed, and back empty",
            (f"{WORKERS}::test_an_rq_server_that_comes_back_empty_is_told_anew",),
        ),
        Scenario(
            "F24", "RQ's server stands still", (f"{WORKERS}::test_while_rqs_server_stands_still_messages_are_taken",)
        ),
        Scenario(
            "F25",
            "parent of the workers, with the sweep, killed",
            (f"{WORKERS}::test_a_killed_parent_of_the_workers_is_replaced",),
        ),
        Scenario("F29", "clock of the log server +1 h, and back", (f"{CLOCK}::test_the_log_servers_clock_may_jump_an_hour_and_back",)),
        Scenario("F30", "clocks of collectors and workers +1 h and -1 h", (f"{CLOCK}::test_the_clocks_of_everybody_but_the_log_server_may_be_wrong",), soak_only=True),
        Scenario("F31", "the clock steps while a retry is due", (f"{CLOCK}::test_a_step_of_the_clock_does_not_hold_up_a_retry",)),
        Scenario("F42", "destination down", (f"{DESTINATIONS}::test_a_destination_that_is_down_costs_only_its_own_messages_time",)),
        Scenario("F43", "destination slow", (f"{DESTINATIONS}::test_a_slow_destination_slows_nobody_else",)),
        Scenario("F44", "destination comes and goes", (f"{DESTINATIONS}::test_a_destination_that_comes_and_goes_gets_everything",)),
        Scenario("F45", "destination busy: 429 with Retry-After", (f"{DESTINATIONS}::test_a_busy_destination_is_left_alone_for_as_long_as_it_asks",)),
        Scenario("F46", "some messages fail, some are refused", (f"{DESTINATIONS}::test_what_is_refused_dies_alone_and_what_fails_holds_up_only_its_user",)),
        Scenario("F47", "answers that are garbage", (f"{DESTINATIONS}::test_garbage_is_never_taken_for_a_yes",)),
        Scenario("F48", "destination hangs", (f"{DESTINATIONS}::test_a_destination_that_hangs_holds_up_nobody_else",)),
        Scenario("F49", "connection cut after the request", (f"{DESTINATIONS}::test_a_cut_after_the_request_repeats_and_loses_nothing",)),
        Scenario("F50", "destination refuses our key (401)", (f"{DESTINATIONS}::test_a_destination_that_refuses_our_key_keeps_its_messages_waiting",)),
        Scenario("F54", "a message that is always refused", (f"{DESTINATIONS}::test_a_message_that_is_always_refused_dies_alone",)),
        Scenario("F55", "a message past its horizon", (f"{DESTINATIONS}::test_a_message_past_its_horizon_dies_as_expired_and_the_rest_stays_in_order",)),
    ]


SCENARIOS = {scenario.id: scenario for scenario in _all()}
