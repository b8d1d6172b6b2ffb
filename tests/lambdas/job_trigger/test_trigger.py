"""Files start runs: many one, none is left without a run after it, and what fails is tried again, so often and no more."""

from __future__ import annotations

import itertools
from datetime import datetime

import pytest
from botocore.exceptions import ReadTimeoutError

from job_trigger.glue_job import GATHERING
from lambdas.trigger_kit import PACE, Killed, Place


def test_a_file_starts_a_run_with_its_correlation_id() -> None:
    place = Place(arguments={"--EVENT_BUS": "dev-sf-to-dw", "--PARAMS": "a=1"})
    place.files("7f3a", "7f3a", "7f3a")
    (run,) = place.glue.runs
    gathering = place.store.record.gathering
    assert run.arguments == {
        "--EVENT_BUS": "dev-sf-to-dw", "--PARAMS": "a=1", "--CORRELATION_ID": "7f3a", GATHERING: gathering
    }  # fmt: skip
    assert place.watch.events == [
        ("job-started", {"correlation_id": "7f3a", "files": 3, "gathering": gathering, "job_run_id": run.id})
    ]


def test_files_of_several_executions_share_a_run_with_an_id_of_its_own() -> None:
    place = Place()
    place.files("a", "b", "a")
    (run,) = place.glue.runs
    assert run.arguments["--CORRELATION_ID"] == run.arguments[GATHERING] == place.store.record.gathering
    assert place.store.record.going.ids == ("a", "b") and place.store.record.going.count == 3


def test_files_that_come_while_a_run_is_at_work_wait_for_the_next_one_together() -> None:
    place = Place()
    place.files("a")
    for number in range(50):
        place.files(f"b{number}")
    assert len(place.glue.runs) == 1 and place.glue.calls["start"] == 1
    place.ends()
    assert len(place.glue.runs) == 2 and place.store.record.going.count == 50
    place.ends()
    assert len(place.glue.runs) == 2 and place.store.record.phase == "idle"
    assert place.kinds == ["job-started", "job-succeeded"] * 2


def test_nothing_is_started_for_nothing() -> None:
    place = Place()
    for _ in range(3):
        place.sweep(400)
    assert not place.glue.runs and not place.watch.events


def test_a_failed_run_is_tried_again_after_growing_waits_and_then_given_up() -> None:
    place = Place()
    place.files("a")
    starts = [place.clock.now]
    for _ in range(PACE.tries - 1):
        place.ends("FAILED", "order failed: no space")
        place.sweep(10)
        assert place.glue.working is None
        while place.glue.working is None:
            place.sweep(10)
        starts.append(place.clock.now)
    waits = [after - before for before, after in itertools.pairwise(starts)]
    assert waits == [300, 600]
    place.ends("TIMEOUT")
    for _ in range(100):
        place.sweep(600)
    assert len(place.glue.runs) == PACE.tries and place.store.record.waiting.count == 0
    assert place.kinds == [*["job-started", "job-failed"] * 2, "job-started", "job-given-up"]
    failed, given_up = place.watch.events[1][1], place.watch.events[-1][1]
    assert (failed["failures"], failed["state"], failed["message"]) == (1, "FAILED", "order failed: no space")
    assert datetime.fromisoformat(failed["next_try_at"]).timestamp() == starts[1]
    assert (given_up["failures"], given_up["state"]) == (3, "TIMEOUT")
    assert place.watch.counted["JobGivenUp"] == 1


def test_the_next_file_begins_anew() -> None:
    place = Place()
    place.files("a")
    for _ in range(PACE.tries):
        place.ends("FAILED")
        place.sweep(PACE.longest)
    assert place.glue.working is None
    place.files("b")
    assert place.glue.working is not None
    place.ends("FAILED")
    assert place.watch.events[-1][1]["failures"] == 1


def test_a_file_that_came_during_the_last_try_has_its_own_tries() -> None:
    place = Place()
    place.files("a")
    for _ in range(PACE.tries - 1):
        place.ends("FAILED")
        place.sweep(PACE.longest)
    place.files("late")
    place.ends("FAILED")
    assert place.kinds[-1] == "job-given-up" and place.glue.working is None
    place.sweep(PACE.first)
    assert place.store.record.going.ids == ("late",) and place.store.record.failures == 0


def test_a_file_that_comes_during_a_wait_does_not_shorten_it_and_shares_the_next_try() -> None:
    place = Place()
    place.files("a")
    place.ends("FAILED")
    place.files("b")
    assert place.glue.working is None
    place.sweep(PACE.first)
    assert place.store.record.going.ids == ("a", "b")


def test_a_success_forgets_the_failures() -> None:
    place = Place()
    for _ in range(3):
        place.files("a")
        place.ends("FAILED")
        place.sweep(PACE.first)
        place.ends()
        assert (place.store.record.failures, place.store.record.because) == (0, "")
    assert "job-given-up" not in place.kinds


def test_a_run_by_hand_is_waited_for_and_does_not_count() -> None:
    place = Place()
    by_hand = place.glue.begin({"--MAINTAIN": "true"})
    place.files("a")
    place.files("b")
    assert place.glue.runs == [by_hand] and place.watch.counted["JobBusy"] == 1
    place.ends()
    assert len(place.glue.runs) == 2 and place.store.record.going.count == 2


def test_a_run_by_hand_whose_end_nobody_tells_is_waited_for_too() -> None:
    place = Place()
    place.glue.begin({})
    place.files("a")
    place.sweep(PACE.busy)
    assert len(place.glue.runs) == 1
    place.glue.finish()
    place.sweep(PACE.busy)
    assert len(place.glue.runs) == 2


def test_the_end_of_a_run_that_nobody_tells_is_found_by_the_sweep() -> None:
    place = Place()
    place.files("a")
    place.files("b")
    place.glue.finish("FAILED", "e")
    place.sweep(300)
    assert place.kinds[-1] == "job-failed" and place.watch.events[-1][1]["message"] == "e"
    place.sweep(PACE.first)
    assert place.store.record.going.count == 2


def test_the_end_of_a_run_that_is_told_twice_and_late_changes_nothing() -> None:
    place = Place()
    place.files("a")
    first = place.glue.finish("FAILED")
    assert first is not None
    place.told(first.event())
    place.sweep(PACE.first)
    for _ in range(3):
        place.told(first.event())
    assert place.store.record.phase == "running" and place.kinds == ["job-started", "job-failed", "job-started"]


def test_a_start_that_was_killed_after_glue_took_it_is_found_again() -> None:
    place = Place()

    def dies(step: str) -> None:
        if step == "start: after":
            raise Killed

    place.hook = dies
    with pytest.raises(Killed):
        place.files("a")
    place.hook = lambda _: None
    place.files("b")
    place.sweep(PACE.lease - 1)
    assert not place.watch.events
    place.sweep(1)
    (run,) = place.glue.runs
    assert place.kinds == ["job-started"] and place.store.record.run_id == run.id
    place.ends()
    assert len(place.glue.runs) == 2 and place.store.record.going.ids == ("b",)


def test_a_start_that_was_killed_before_glue_took_it_is_made_again() -> None:
    place = Place()

    def dies(step: str) -> None:
        if step == "start: before":
            raise Killed

    place.hook = dies
    with pytest.raises(Killed):
        place.files("a")
    place.hook = lambda _: None
    place.sweep(PACE.lease)
    assert len(place.glue.runs) == 1 and place.store.record.phase == "running"


def test_an_answer_that_is_lost_makes_no_second_run() -> None:
    place = Place()

    def lost(step: str) -> None:
        if step == "start: after":
            raise ReadTimeoutError(endpoint_url="https://glue")

    place.hook = lost
    place.files("a")
    place.hook = lambda _: None
    assert place.watch.counted["StartFailed"] == 1
    place.sweep(PACE.lease)
    assert len(place.glue.runs) == 1 and place.kinds == ["job-started"]


def test_a_call_that_the_sdk_repeated_finds_the_run_of_the_first_one() -> None:
    place = Place()
    real = place.glue.start_job_run

    def twice(**call: object) -> object:
        real(**call)  # type: ignore[arg-type]  # the same call
        return real(**call)  # type: ignore[arg-type]

    place.glue.start_job_run = twice  # type: ignore[method-assign, assignment]
    place.files("a")
    assert place.store.record.phase == "running" and place.kinds == ["job-started"]
    assert not place.watch.counted["JobBusy"]


def test_glue_that_starts_nothing_is_asked_again_and_told() -> None:
    place = Place()
    place.glue.refuses = "ResourceNumberLimitExceededException"
    place.files("a")
    place.files("b")
    assert place.watch.counted["StartFailed"] == 1 and not place.watch.events
    place.glue.refuses = ""
    place.sweep(PACE.busy)
    assert place.store.record.going.count == 2


def test_a_start_that_wakes_up_late_does_no_harm() -> None:
    place = Place()
    slept: list[str] = []

    def sleeps(step: str) -> None:
        if step == "start: before" and not slept:
            slept.append(step)
            place.sweep(PACE.lease)  # another takes its place, its run ends, a file comes
            place.ends()

    place.hook = sleeps
    place.files("a")
    assert [run.state for run in place.glue.runs] == ["SUCCEEDED", "RUNNING"] and place.store.record.phase == "idle"
    place.files("b")
    assert place.watch.counted["JobBusy"] == 1
    place.ends()
    assert place.store.record.going.ids == ("b",)


def test_a_run_that_glue_no_longer_knows_is_one_that_failed() -> None:
    place = Place()
    place.files("a")
    place.glue.runs.clear()
    place.sweep(PACE.lease - 1)
    assert place.store.record.phase == "running"  # so new that Glue may not show it yet
    place.sweep(1)
    assert place.kinds[-1] == "job-failed" and place.watch.events[-1][1]["state"] == "GONE"


def test_how_long_files_have_waited_is_told() -> None:
    place = Place()
    place.sweep()
    assert place.watch.counted["waiting"] == 0
    place.files("a")
    place.clock.now += 100
    place.files("b")
    place.sweep(50)
    assert place.watch.counted["waiting"] == 150
    place.ends("FAILED")
    place.sweep(50)
    assert place.watch.counted["waiting"] == 200
    place.sweep(PACE.first)
    place.ends()
    place.sweep()
    assert place.watch.counted["waiting"] == 0


def test_correlation_ids_are_bounded_and_files_are_all_counted() -> None:
    place = Place()
    place.files("first")
    for number in range(300):
        place.files(f"id-{number}", f"id-{number}")
    place.ends()
    going = place.store.record.going
    assert (going.count, len(going.ids), going.more) == (600, 100, True)
    assert place.store.record.correlation_id == place.store.record.gathering


@pytest.mark.parametrize("step", ["read", "write: before"])
def test_a_file_that_comes_while_an_end_is_stored_is_not_lost(step: str) -> None:
    place = Place()
    place.files("a")
    came: list[str] = []

    def comes(now: str) -> None:
        if now == step and len(came) < 3:
            came.append(f"late-{len(came)}")
            place.trigger.note([came[-1]])

    place.hook = comes
    place.ends()
    assert len(came) == 3 and place.store.record.going.count == 3


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_run_is_found_among_many_whatever_their_order(newest_first: bool) -> None:
    place = Place()
    place.glue.newest_first = newest_first
    for _ in range(450):
        place.glue.begin({})
        place.glue.finish()
        place.clock.now += 3_600
    place.hook = _dies_after_the_start
    with pytest.raises(Killed):
        place.files("a")
    place.hook = lambda _: None
    place.clock.now += PACE.lease
    place.glue.calls.clear()
    place.sweep()
    assert place.kinds == ["job-started"] and len(place.glue.own) == 1
    assert place.glue.calls["list"] == (1 if newest_first else 5)


def test_a_run_that_is_not_there_is_not_looked_for_in_all_the_past() -> None:
    place = Place()
    for _ in range(450):
        place.glue.begin({})
        place.glue.finish()
        place.clock.now += 3_600
    place.glue.begin({})
    place.files("a")
    assert place.watch.counted["JobBusy"] == 1 and place.glue.calls["list"] == 1


def _dies_after_the_start(step: str) -> None:
    if step == "start: after":
        raise Killed
