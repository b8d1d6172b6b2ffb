"""What comes next, and what files add up to, for any of them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from job_trigger import decision
from job_trigger.decision import FAILED, GONE, SUCCEEDED, Pace
from job_trigger.record import LISTED, NONE, Files, Record, files
from lambdas.trigger_kit import FILES, IDS, RECORDS, TIMES


@given(FILES, FILES)
def test_files_add_up_and_stay_bounded(one: Files, other: Files) -> None:
    both = one + other
    assert both.count == one.count + other.count and len(both.ids) <= LISTED
    assert set(both.ids) <= {*one.ids, *other.ids} and both.ids[: len(one.ids)] == one.ids
    assert both.more == (one.more or other.more or len({*one.ids, *other.ids}) > LISTED)
    assert both.since == min((f.since for f in (one, other) if f.count), default=0.0)


@given(IDS, TIMES)
def test_one_correlation_id_is_told_and_of_several_none(ids: list[str], now: float) -> None:
    told = files(ids, now).correlation_id("own")
    assert told == (ids[0] if len(set(ids)) == 1 else "own")


@given(RECORDS, TIMES, st.booleans())
def test_nothing_is_started_while_something_is_at_work(record: Record, now: float, looks: bool) -> None:
    step = decision.following(record, now, looks=looks)
    if step == "start":
        assert record.phase == "idle" and record.waiting.count and now >= record.not_before
    if record.phase == "idle" and record.waiting.count and now >= record.not_before:
        assert step == "start"


@given(RECORDS, TIMES, st.sampled_from([SUCCEEDED, GONE, *sorted(FAILED), "RUNNING", "STOPPING", "WAITING"]))
def test_only_an_end_of_the_run_at_work_ends_it(record: Record, now: float, state: str) -> None:
    made = decision.ended(record, "jr", state, now, Pace())
    assert (made is None) == (record.phase != "running" or state in {"RUNNING", "STOPPING", "WAITING"})
    assert decision.ended(record, "jr_other", state, now, Pace()) is None


@given(RECORDS, TIMES, st.sampled_from(sorted({GONE, *FAILED})), st.integers(1, 12))
def test_a_failure_keeps_its_files_until_it_is_given_up(record: Record, now: float, state: str, tries: int) -> None:
    pace = Pace(tries=tries)
    made = decision.ended(replace(record, phase="running"), "jr", state, now, pace)
    assert made is not None
    after, outcome = made
    assert after.phase == "idle" and after.going == NONE and after.not_before >= now + pace.first
    if outcome == "failed":
        assert after.waiting.count == record.waiting.count + record.going.count
        assert after.failures == record.failures + 1 < tries
    else:
        assert outcome == "given_up" and record.failures + 1 >= tries
        assert (after.waiting, after.failures) == (record.waiting, 0)


@given(st.integers(1, 2_000))
def test_waits_grow_up_to_the_longest(failures: int) -> None:
    pace = Pace(first=300, longest=3600)
    assert pace.wait(failures) <= pace.wait(failures + 1) <= 3600
    assert [pace.wait(n) for n in range(1, 6)] == [300, 600, 1200, 2400, 3600]


@given(RECORDS, TIMES)
def test_a_claim_takes_all_that_waits(record: Record, now: float) -> None:
    claimed = decision.claimed(record, "g2", now, Pace(lease=180))
    assert (claimed.going, claimed.waiting, claimed.phase, claimed.at) == (record.waiting, NONE, "starting", now + 180)
    back = decision.released(claimed, "g2", "busy", now + 60)
    assert back is not None and back.waiting == record.waiting and back.not_before == now + 60
    assert decision.released(claimed, "another", "busy", now) is None
    assert decision.started(claimed, "another", "jr", now) is None
