"""Calls -> the callers who were lost and whom nobody has spoken to since."""

from dataclasses import dataclass

from common.calls.call import Call
from common.reports.figures import Report


@dataclass(frozen=True)
class WaitingCaller:
    """A caller who waits for a call.

    key:      see caller_key()
    calls:    the lost calls since somebody last spoke to the caller, in time order; never empty
    customer: name in "My clients", or ""
    employee: who last spoke to the caller, or ""
    """

    key: str
    calls: tuple[Call, ...]
    customer: str
    employee: str

    @property
    def last(self) -> Call:
        return self.calls[-1]

    @property
    def dialable(self) -> str:
        return self.last.dialable

    @property
    def has_left_message(self) -> bool:
        return any(call.has_message for call in self.calls)


def caller_key(call: Call) -> str:
    """What stays the same however a caller's number is written; for a hidden number, the call itself."""
    return call.number_key or f"call {call.general_call_id}"


def waiting_callers(report: Report) -> list[WaitingCaller]:
    """Whom to call, the most often lost first. Hidden numbers cannot be called: only if they have left a message."""
    lost: dict[str, list[Call]] = {}
    customers: dict[str, str] = {}
    employees: dict[str, str] = {}
    for call in report.calls:
        key = caller_key(call)
        if call.is_lost and not report.is_called_back(call) and (call.number_key or call.has_message):
            lost.setdefault(key, []).append(call)
        if call.is_answered and call.employee:
            employees[key] = call.employee
        if call.customer and not call.legs_name:
            customers[key] = call.customer
    callers = [
        WaitingCaller(key, tuple(calls), customers.get(key, ""), employees.get(key, "")) for key, calls in lost.items()
    ]
    return sorted(callers, key=lambda caller: (-len(caller.calls), caller.calls[0].unix_start))
