"""What a request comes to, decided without any call."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from token_broker.decision import IN_DOUBT, Credential, Refresh, Refuse, Serve, Wait, decide
from token_broker.record import SKEW, Failure, Record

NOW = 10_000.0
JWT, SEEDED = Credential("c"), Credential("c", "seed")
FRESH = Record(fence=3, sealed=b"x", hash="t", issued_at=NOW - 100, expires_at=NOW + 3500)
AGED = replace(FRESH, issued_at=NOW - 3000, expires_at=NOW + 600)
ENDED = replace(FRESH, issued_at=NOW - 3600, expires_at=NOW)
PASSES = Failure("busy", "busy", passes=True, retry_at=NOW + 5, count=1, credential="c")
STAYS = replace(PASSES, code="invalid_client", passes=False)

times = st.floats(0, 20_000)
failures = st.none() | st.builds(
    Failure, st.just("x"), st.just("x"), st.booleans(), times, st.integers(1, 9), st.sampled_from("cd")
)
records = st.builds(
    Record, fence=st.integers(0, 9), owner=st.sampled_from(["", "o"]), lease_until=times, sealed=st.just(b"x"),
    hash=st.sampled_from(["", "t", "u"]), issued_at=times, expires_at=times, chain=st.just("seed"),
    seeds=st.sampled_from([frozenset[str](), frozenset({"seed"})]), sent=st.booleans(), rotates=st.booleans(),
    failure=failures,
)  # fmt: skip
credentials = st.sampled_from([JWT, SEEDED, Credential("d")])


def test_a_fresh_token_is_served() -> None:
    assert decide(FRESH, NOW, "", JWT, 10) == Serve()
    assert decide(FRESH, NOW, "another", JWT, 10) == Serve()


def test_a_token_that_ages_is_refreshed_and_by_one_only() -> None:
    assert decide(AGED, NOW, "", JWT, 10) == Refresh()
    assert decide(replace(AGED, owner="o", lease_until=NOW + 1), NOW, "", JWT, 10) == Serve()


def test_a_token_about_to_end_is_not_served() -> None:
    nearly = replace(FRESH, issued_at=NOW - 3600, expires_at=NOW + SKEW)
    assert decide(nearly, NOW, "", JWT, 10) == Refresh()
    assert decide(ENDED, NOW, "", JWT, 10) == Refresh()


def test_while_another_refreshes_one_waits_until_its_lease_is_over() -> None:
    held = replace(ENDED, owner="o", lease_until=NOW + 1)
    assert decide(held, NOW, "", JWT, 10) == Wait()
    assert decide(held, NOW + 2, "", JWT, 10) == Refresh()


def test_a_stale_token_is_refreshed_when_it_is_no_longer_young() -> None:
    assert decide(FRESH, NOW, "t", JWT, 10) == Refresh()
    assert decide(replace(FRESH, issued_at=NOW - 4), NOW, "t", JWT, 10) == Wait(6)


def test_a_failure_is_waited_out_if_it_passes_and_told_if_it_stays() -> None:
    assert decide(replace(ENDED, failure=PASSES), NOW, "", JWT, 10) == Wait(5, PASSES)
    assert decide(replace(ENDED, failure=STAYS), NOW, "", JWT, 10) == Refuse(STAYS)
    assert decide(replace(ENDED, failure=STAYS), NOW + 6, "", JWT, 10) == Refresh()
    assert decide(replace(ENDED, failure=STAYS), NOW, "", Credential("mended"), 10) == Refresh()
    assert decide(replace(AGED, failure=STAYS), NOW, "", JWT, 10) == Serve(STAYS)


def test_a_refresh_token_in_doubt_waits_for_a_person() -> None:
    doubtful = replace(ENDED, seeds=frozenset({"seed"}), chain="seed", sent=True, owner="o", lease_until=NOW - 1)
    found = decide(doubtful, NOW, "", SEEDED, 10)
    assert isinstance(found, Refuse) and found.failure.code == IN_DOUBT
    assert decide(doubtful, NOW, "", Credential("c", "new seed"), 10) == Refresh()
    while_valid = decide(replace(doubtful, issued_at=NOW - 3000, expires_at=NOW + 600), NOW, "", SEEDED, 10)
    assert isinstance(while_valid, Serve) and while_valid.although and while_valid.although.code == IN_DOUBT


@given(records, times, st.sampled_from(["", "t"]), credentials)
def test_no_token_is_served_that_is_over_or_called_stale(
    record: Record, now: float, stale: str, credential: Credential
) -> None:
    if isinstance(decide(record, now, stale, credential, 10), Serve):
        assert record.hash and record.hash != stale and now < record.expires_at


@given(records, times, st.sampled_from(["", "t"]), credentials)
def test_nobody_asks_salesforce_beside_a_holder_or_with_a_token_that_may_be_spent(
    record: Record, now: float, stale: str, credential: Credential
) -> None:
    if isinstance(decide(record, now, stale, credential, 10), Refresh):
        assert not record.leased(now)
        assert not (record.sent and credential.seed in record.seeds)


@given(records, times, st.sampled_from(["", "t"]), credentials)
def test_who_is_told_to_wait_for_a_time_can_act_at_that_time(
    record: Record, now: float, stale: str, credential: Credential
) -> None:
    decision = decide(record, now, stale, credential, 10)
    if isinstance(decision, Wait) and decision.seconds is not None:
        assert not isinstance(decide(record, now + decision.seconds + 0.001, stale, credential, 10), Refuse)
