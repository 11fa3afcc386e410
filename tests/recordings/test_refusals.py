"""When a recording that is refused again and again is given up."""

import pytest

from common.recordings.refusals import is_enough, one_more

HOUR = 3600
NOW = 1_714_560_000.0


@pytest.mark.parametrize(
    ("refusals", "is_given_up"),
    [
        ([(0, "text")], False),
        ([(0, "text"), (6, "text")], False),
        ([(0, "text"), (6, "text"), (12, "text")], True),
        ([(0, "text"), (2, "text"), (4, "text"), (6, "text"), (8, "text"), (10, "text")], False),
        ([(hour, "text") for hour in range(0, 13, 2)], True),
        ([(0, "text"), (5.9, "text"), (11.8, "text"), (17.7, "text")], False),
        ([(0, "text"), (6, "gzip"), (12, "text"), (18, "gzip")], False),
        ([(0, "text"), (6, "gzip"), (12, "gzip"), (18, "gzip")], True),
        ([(9000, "text"), (0, "text"), (6, "text")], False),  # the first with a clock that was ahead
        ([(9000, "text"), (0, "text"), (6, "text"), (12, "text")], True),
    ],
)
def test_three_runs_hours_apart_have_to_agree(refusals, is_given_up):
    remembered = None
    for hours, kind in refusals:
        remembered = one_more(remembered, kind, NOW + hours * HOUR)
    assert is_enough(remembered) is is_given_up
