"""Any period: complete, each call once, in time order, whatever the company, the caps and the interruptions."""

import random
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from binotel_core import DAY_METHOD, TransportError
from common.calls.archive import merged
from common.calls.period import (
    INCOMING,
    LINE,
    OUTGOING,
    IncompleteError,
    PeriodPlan,
    PeriodRequest,
    calls_for_period,
    way_of,
)
from helpers import KYIV
from simulation import Server, follow, limits, made_up_moments, plan_for

NEW_YEAR = date(2024, 1, 1)
INCOMING_METHOD = "stats/incoming-calls-for-period"
OUTGOING_METHOD = "stats/outgoing-calls-for-period"
LINE_METHOD = "stats/list-of-calls-by-internal-number-for-period"


def ids(calls):
    return [call["generalCallID"] for call in calls]


def truth(server, ways, first, last):
    return sorted(ids(call for way in ways for call in server.between(way, first, last)))


def server_of(days, calls_per_day, shape="office hours", seed=1, first_day=NEW_YEAR, **options):
    rng = random.Random(seed)
    moments = {way: made_up_moments(first_day, days, calls_per_day, shape, rng) for way in (INCOMING, OUTGOING)}
    return Server(moments, **options)


@pytest.mark.parametrize("shape", ["steady", "office hours", "campaign"])
@pytest.mark.parametrize("calls_per_day", [0, 3, 60, 700])
def test_all_calls_of_a_period_come_exactly_once(shape, calls_per_day):
    server = server_of(120, calls_per_day, shape)
    calls = follow(plan_for(NEW_YEAR, 120), server)
    assert sorted(ids(calls)) == truth(server, (INCOMING, OUTGOING), *limits(NEW_YEAR, NEW_YEAR + timedelta(days=119)))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    days=st.integers(1, 40),
    rates=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    shape=st.sampled_from(["steady", "office hours", "campaign"]),
    cap=st.integers(3, 200),
    direction=st.sampled_from(["both", "incoming", "outgoing"]),
    cuts=st.tuples(st.integers(0, 86400), st.integers(0, 86400)),
    first_day=st.sampled_from([NEW_YEAR, date(2024, 3, 20), date(2024, 10, 20)]),  # the clocks change soon after
    seed=st.integers(0, 1000),
)
def test_no_call_is_lost_or_doubled_at_any_seam(days, rates, shape, cap, direction, cuts, first_day, seed):
    rng = random.Random(seed)
    moments = {
        way: made_up_moments(first_day, days, rate, shape, rng)
        for way, rate in zip((INCOMING, OUTGOING), rates, strict=True)
    }
    server = Server(moments, caps={INCOMING_METHOD: cap, OUTGOING_METHOD: cap}, seed=seed)
    first, last = limits(first_day, first_day + timedelta(days=days - 1))
    start, stop = sorted((first + cuts[0], last - cuts[1]))
    lowered = {INCOMING_METHOD: cap, OUTGOING_METHOD: cap}
    plan = PeriodPlan(start, stop, direction, timezone=KYIV, caps=lowered)
    calls = follow(plan, server)
    ways = (INCOMING, OUTGOING) if direction == "both" else (direction,)
    assert sorted(ids(calls)) == truth(server, ways, start, stop)
    assert plan.known_until == stop


def unknown_seconds(known, start, stop):
    return stop - start + 1 - sum(max(0, min(stop, last) - max(start, first) + 1) for first, last in known)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    days=st.integers(1, 40),
    rate=st.integers(0, 60),
    cap=st.integers(3, 200),
    known=st.dictionaries(
        st.sampled_from([INCOMING, OUTGOING]), st.lists(st.tuples(st.floats(-0.2, 1.2), st.floats(0, 0.3)), max_size=6)
    ),
    seed=st.integers(0, 1000),
)
def test_what_is_known_is_left_out_and_all_else_asked_for(days, rate, cap, known, seed):
    server = server_of(days, rate, "steady", seed, caps={INCOMING_METHOD: cap, OUTGOING_METHOD: cap})
    start, stop = limits(NEW_YEAR, NEW_YEAR + timedelta(days=days - 1))
    length = stop - start
    stretches = {
        way: merged([(int(start + at * length), int(start + (at + part) * length)) for at, part in parts])
        for way, parts in known.items()
    }
    plan = plan_for(NEW_YEAR, days, known=stretches, caps={INCOMING_METHOD: cap, OUTGOING_METHOD: cap})
    calls = ids(follow(plan, server))
    assert len(set(calls)) == len(calls)
    for way in (INCOMING, OUTGOING):
        of_way = {call["generalCallID"]: int(call["startTime"]) for call in server.between(way, start, stop)}
        its = stretches.get(way, [])
        unknown = {one for one, moment in of_way.items() if not any(a <= moment <= b for a, b in its)}
        assert unknown <= set(calls)
    for request in server.requests:
        if request.method != DAY_METHOD:
            [way] = request.ways
            for edge in (request.first, request.last):
                assert not any(first <= edge <= last for first, last in stretches.get(way, []))
        else:
            assert any(unknown_seconds(stretches.get(way, []), request.first, request.last) for way in request.ways)
    assert (plan.share_known, plan.seconds_left()) == (1, 0)


def test_of_a_year_that_is_known_nothing_is_asked():
    start, stop = limits(NEW_YEAR, NEW_YEAR + timedelta(days=365))
    server = server_of(366, 100)
    plan = plan_for(NEW_YEAR, 366, known={way: [(start, stop)] for way in (INCOMING, OUTGOING)})
    assert (follow(plan, server), server.requests, plan.known_until) == ([], [], stop)


def test_days_that_nobody_has_exported_are_asked_for_and_no_others():
    """300 of 366 days are known: of a busy company each other one is a request of five seconds."""
    rng = random.Random(1)
    lacking = sorted(rng.sample(range(366), 66))
    days = [limits(NEW_YEAR + timedelta(days=n), NEW_YEAR + timedelta(days=n)) for n in range(366)]
    known = merged([day for number, day in enumerate(days) if number not in lacking])
    caps = {INCOMING_METHOD: 40, OUTGOING_METHOD: 40}
    server = server_of(366, 50, "steady", caps=caps)
    plan = plan_for(NEW_YEAR, 366, known=dict.fromkeys((INCOMING, OUTGOING), known), caps=caps)
    follow(plan, server)
    assert [request.first for request in server.requests] == [days[number][0] for number in lacking]


def test_what_is_known_teaches_how_long_the_first_request_may_be():
    """Else it would be for a day, to see how busy the company is."""
    server = server_of(200, 50, "steady")
    first, last = limits(NEW_YEAR, NEW_YEAR + timedelta(days=99))
    plan = plan_for(NEW_YEAR, 200, known={way: [(first, last)] for way in (INCOMING, OUTGOING)})
    for way in (INCOMING, OUTGOING):
        plan.learn(way, first, last, [int(call["startTime"]) for call in server.between(way, first, last)])
    follow(plan, server)
    assert all(request.method != DAY_METHOD for request in server.requests)
    assert len(server.requests) == 6  # 5,000 calls each way, at most 2,000 in an answer


@settings(max_examples=60, deadline=None)
@given(cap=st.integers(2, 60), rate=st.integers(0, 40), days=st.integers(1, 20), seed=st.integers(0, 1000))
def test_the_calls_of_a_line_come_in_windows_of_a_week_at_the_most(cap, rate, days, seed):
    rng = random.Random(seed)
    moments = {
        way: sorted(set(made_up_moments(NEW_YEAR, days, rate, "office hours", rng))) for way in (INCOMING, OUTGOING)
    }
    server = Server(moments, caps={LINE_METHOD: cap}, seed=seed)
    plan = plan_for(NEW_YEAR, days, internal_number="901", caps={LINE_METHOD: cap})
    crowded = [second for way in (INCOMING, OUTGOING) for second in moments[way]]
    if max(map(crowded.count, crowded), default=0) >= cap:
        with pytest.raises(IncompleteError):
            follow(plan, server)
        return
    calls = follow(plan, server)
    assert sorted(ids(calls)) == truth(
        server, (INCOMING, OUTGOING), *limits(NEW_YEAR, NEW_YEAR + timedelta(days=days - 1))
    )
    assert {request.method for request in server.requests} == {LINE_METHOD}
    assert {request.ways for request in server.requests} == {(LINE,)}
    assert all(request.last - request.first < 7 * 86400 for request in server.requests)
    assert all(request.params["internalNumber"] == "901" for request in server.requests)


def test_a_second_with_too_many_calls_is_named():
    second = limits(NEW_YEAR, NEW_YEAR)[0] + 40_000
    server = Server({INCOMING: [second] * 10, OUTGOING: []}, caps={LINE_METHOD: 10})
    with pytest.raises(IncompleteError, match=rf"2024-01-01 09:06:40 UTC \({second}\)") as caught:
        follow(plan_for(NEW_YEAR, 1, internal_number="901", caps={LINE_METHOD: 10}), server)
    assert caught.value.second == second


def test_an_answer_with_exactly_the_cap_is_not_trusted():
    server = server_of(30, 60, "steady")
    plan = plan_for(NEW_YEAR, 30)
    day = plan.next_request()
    plan.accept(day, server.answer(day))
    window = plan.next_request()
    assert plan.accept(window, [{"startTime": window.first, "callType": "0"}] * 2000) == []
    shorter = plan.next_request()
    assert shorter.first == window.first
    assert shorter.last < window.last


def test_a_plan_that_is_given_the_same_answers_goes_on_where_the_first_one_stopped():
    server = server_of(200, 60, "campaign")
    whole = follow(plan_for(NEW_YEAR, 200), server)
    requests = server.requests
    for done in range(0, len(requests), 5):
        again = server_of(200, 60, "campaign")
        plan = plan_for(NEW_YEAR, 200)
        calls = []
        for expected in requests[:done]:
            request = plan.next_request()
            assert request == expected
            calls += plan.accept(request, again.answer(request))
        again.requests.clear()
        calls += follow(plan, again)
        assert again.requests == requests[done:]
        assert sorted(ids(calls)) == sorted(ids(whole))


def test_ways_that_differ_a_lot_are_both_complete():
    """Where one way is far ahead of the other, and the other one is cut off."""
    for seed in range(20):
        rng = random.Random(seed)
        moments = {
            INCOMING: made_up_moments(NEW_YEAR, 60, 3, "steady", rng),
            OUTGOING: made_up_moments(NEW_YEAR, 60, 90, "campaign", rng),
        }
        caps = {INCOMING_METHOD: 150, OUTGOING_METHOD: 150}
        server = Server(moments, caps=caps, seed=seed)
        calls = follow(plan_for(NEW_YEAR, 60, caps=caps), server)
        assert sorted(ids(calls)) == truth(
            server, (INCOMING, OUTGOING), *limits(NEW_YEAR, NEW_YEAR + timedelta(days=59))
        )


def test_a_way_that_is_cut_off_comes_on_though_the_other_one_is_far_ahead():
    first, _ = limits(NEW_YEAR, NEW_YEAR)
    daily = [first + day * 86400 + 43_200 for day in range(40)]
    crowd = [first + 10 * 86400 + 100 * second for second in range(100)]
    caps = {INCOMING_METHOD: 50, OUTGOING_METHOD: 50}
    server = Server({INCOMING: daily, OUTGOING: daily + crowd}, caps=caps)
    assert len(follow(plan_for(NEW_YEAR, 40, caps=caps), server)) == 180
    assert len(server.requests) < 25


def test_a_busy_company_is_asked_day_by_day_and_a_quiet_one_in_long_windows():
    busy, quiet = server_of(60, 2000), server_of(365, 20)
    follow(plan_for(NEW_YEAR, 60), busy)
    follow(plan_for(NEW_YEAR, 365), quiet)
    assert [request.method for request in busy.requests] == [DAY_METHOD] * 60
    assert len(quiet.requests) < 14


def test_a_single_day_is_one_request():
    server = server_of(1, 50)
    follow(plan_for(NEW_YEAR, 1), server)
    assert [request.method for request in server.requests] == [DAY_METHOD]


def test_calls_that_were_not_asked_for_show_a_wrong_time_zone():
    plan = plan_for(NEW_YEAR, 3)
    request = plan.next_request()
    with pytest.raises(TransportError, match=r"from outside the time asked for.*Check TIMEZONE"):
        plan.accept(request, [{"startTime": request.last + 1, "callType": "0"}])


UNREADABLE = [
    None,
    "",
    [],
    "+1704063600",
    "1_704_063_600",
    "\uff11\uff17",
    float("inf"),
    True,
    "-1",
    0,
    "1704063600000",
]


@pytest.mark.parametrize("entry", [*({"startTime": start, "callType": "0"} for start in UNREADABLE), "x", None, 5, []])
@pytest.mark.parametrize("by_day", [True, False])
def test_an_entry_that_cannot_be_read_comes_first_and_keeps_no_call_back(entry, by_day):
    first, last = limits(NEW_YEAR, NEW_YEAR)
    plan = plan_for(NEW_YEAR, 1, INCOMING)
    request = plan.next_request() if by_day else PeriodRequest(INCOMING_METHOD, {}, (INCOMING,), first, last)
    calls = [{"startTime": first + 60, "callType": "0"}, {"startTime": str(first), "callType": 0}]
    assert plan.accept(request, [calls[0], entry, calls[1]]) == [entry, calls[1], calls[0]]
    assert (plan.next_request(), plan.known_until) == (None, last)


def test_an_entry_from_days_away_is_one_that_cannot_be_read():
    plan = plan_for(NEW_YEAR, 3)
    request = plan.next_request()
    entry = {"startTime": request.first - 2 * 86400, "callType": "0"}
    assert plan.accept(request, [entry]) == [entry]


def test_entries_that_cannot_be_read_count_for_the_cap():
    first, last = limits(NEW_YEAR, NEW_YEAR)
    plan = plan_for(NEW_YEAR, 1, INCOMING, caps={INCOMING_METHOD: 3})
    request = PeriodRequest(INCOMING_METHOD, {}, (INCOMING,), first, last)
    assert plan.accept(request, ["x", None, {"startTime": first, "callType": "0"}]) == []
    assert plan.known_until == first - 1


@pytest.mark.parametrize("kind", ["0", 0, 0.0, "0.0", " 0 "])
def test_a_call_type_is_read_in_every_form_in_which_numbers_come(kind):
    assert way_of({"callType": kind}) == INCOMING
    assert way_of({"callType": "1"}) == way_of({"callType": 1}) == OUTGOING
    assert way_of({"callType": None}) == way_of("x") == ""


@pytest.mark.parametrize("kind", [None, "", 2, {}])
def test_a_call_that_does_not_say_its_direction_has_that_of_the_request(kind):
    first, last = limits(NEW_YEAR, NEW_YEAR)
    plan = plan_for(NEW_YEAR, 1, INCOMING)
    call = {"startTime": first, "callType": kind}
    assert plan.accept(PeriodRequest(INCOMING_METHOD, {}, (INCOMING,), first, last), [call]) == [call]


def test_an_outgoing_call_among_incoming_ones_is_an_error_and_not_lost():
    first, last = limits(NEW_YEAR, NEW_YEAR)
    plan = plan_for(NEW_YEAR, 30)
    request = PeriodRequest(INCOMING_METHOD, {}, (INCOMING,), first, last)
    with pytest.raises(TransportError, match="has calls of the other direction"):
        plan.accept(request, [{"startTime": first, "callType": "1"}])


def test_an_unknown_direction_is_an_error():
    with pytest.raises(ValueError, match="'sideways' is not a direction"):
        plan_for(NEW_YEAR, 3, "sideways")


@pytest.mark.parametrize(
    ("calls_per_day", "days", "shape"),
    [(5, 365, "steady"), (50, 365, "steady"), (50, 365, "office hours"), (500, 60, "steady"), (3000, 31, "steady")],
)
def test_the_time_that_is_left_is_known_from_the_quota(calls_per_day, days, shape):
    server = server_of(days, calls_per_day, shape)
    plan = plan_for(NEW_YEAR, days)
    assert plan.seconds_left() == 5 * (days - 5)  # until more is known, of which 5 requests are free
    told = []
    while request := plan.next_request():
        told.append((plan.seconds_left(), server.quota.seconds))
        plan.accept(request, server.answer(request))
    assert plan.seconds_left() == 0
    for seconds_left, so_far in told[3:]:
        assert seconds_left == pytest.approx(server.quota.seconds - so_far, rel=0.25, abs=20)


# --- Against the sandbox -----------------------------------------------------


@pytest.fixture
def sandbox(make_sandbox, clock):
    """On the tests' clock, so that its quota and the client's waiting agree."""
    return make_sandbox(clock=clock.time)


def test_the_client_gives_a_period_in_time_order(client, sandbox):
    start, stop = datetime(2024, 3, 30, 12, tzinfo=KYIV), datetime(2024, 4, 20, 13, 30, tzinfo=KYIV)
    calls = list(calls_for_period(client, start, stop))
    expected = list(sandbox.company.calls_between(int(start.timestamp()), int(stop.timestamp())))
    assert sorted(ids(calls)) == sorted(ids(expected))
    assert [int(call["startTime"]) for call in calls] == [int(call["startTime"]) for call in expected]
    assert {request["code"] for request in sandbox.requests} == {0}


def test_the_client_gives_one_direction_or_one_line(client, sandbox):
    start, stop = datetime(2024, 4, 1, tzinfo=KYIV), datetime(2024, 4, 16, tzinfo=KYIV)
    expected = list(sandbox.company.calls_between(int(start.timestamp()), int(stop.timestamp())))
    assert ids(calls_for_period(client, start, stop, "incoming")) == [
        call["generalCallID"] for call in expected if str(call["callType"]) == "0"
    ]
    assert ids(calls_for_period(client, start, stop, internal_number="903")) == [
        call["generalCallID"] for call in expected if call["internalNumber"] == "903"
    ]


def test_a_period_without_a_time_zone_is_an_error(client):
    with pytest.raises(ValueError, match="needs a time zone"):
        next(calls_for_period(client, datetime(2024, 4, 1), datetime(2024, 4, 2)))
