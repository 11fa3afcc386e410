"""Lines and what they are doing, in the shapes of both versions."""

import pytest

from common.calls.entries import UnreadableError
from common.calls.lines import OFFLINE, ONLINE, Line, lines_of

NAME = {"name": "Олена", "email": "olena@example.com"}


@pytest.mark.parametrize(
    ("entry", "lines"),
    [
        ({"extNumber": "902", "extStatus": {"status": "online"}}, [("902", ONLINE)]),
        ({"extNumber": 902, "extStatus": {"status": "InUse"}}, [("902", ONLINE)]),
        ({"extNumber": "902", "extStatus": "offline"}, [("902", OFFLINE)]),
        *(({"extNumber": "902", "extStatus": odd}, [("902", "")]) for odd in ("", None, [], {}, "away", 7)),
        ({"extNumber": "902"}, [("902", "")]),
        ({"endpointData": {"internalNumber": "902", "status": {"status": "ringing"}}}, [("902", ONLINE)]),
        (
            {"endpointData": [{"internalNumber": "902", "status": {"status": "offline"}}, {"internalNumber": "903"}]},
            [("902", OFFLINE), ("903", "")],
        ),
        ({"endpointData": {"77": {"internalNumber": "902", "status": [{"status": "online"}]}}}, [("902", ONLINE)]),
        *(({"endpointData": odd, "extNumber": odd}, []) for odd in ("", None)),
    ],
)
def test_a_line_has_a_number_and_a_status(entry, lines):
    assert lines_of(NAME | entry) == [Line(number, "Олена", status) for number, status in lines]


@pytest.mark.parametrize("entry", ["", None, [], {"extNumber": ["902"]}, {"endpointData": [{"internalNumber": {}}]}])
def test_what_cannot_be_read_is_told(entry):
    with pytest.raises(UnreadableError):
        lines_of(entry)
