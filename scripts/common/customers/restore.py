"""A backup and the live base -> the steps that bring the one back into the other, and their carrying out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from binotel_core import ApiError, BinotelClient, SignatureError, TransportError
from common.calls.call import clean, dialable
from common.customers.backup import Backup, Customer, changed_fields

MAX_FAILURES_IN_A_ROW = 3  # of the network: then it is gone, and the rest would fail the same way


@dataclass(frozen=True)
class Step:
    """A customer to create (`live` is None), or to update.

    params: what is sent, under the server's names
    fields: what changes, under the names that people are shown
    notes:  what cannot be brought back, and why
    """

    customer: Customer
    live: Customer | None
    params: dict[str, Any]
    fields: list[str]
    notes: list[str]


@dataclass
class Plan:
    """What there is to do.

    only_live:      customers who are not in the backup; nothing is done to them
    missing_labels: names of labels that the live base does not have
    impossible:     what cannot be brought back, and why
    """

    steps: list[Step] = field(default_factory=list)
    same: int = 0
    only_live: list[Customer] = field(default_factory=list)
    missing_labels: list[str] = field(default_factory=list)
    impossible: list[tuple[Customer, str]] = field(default_factory=list)


def make_plan(backup: Backup, live: Backup, employees: set[str], is_wanted: Callable[[Customer], bool]) -> Plan:
    """Compare a backup with the live base.

    employees: the internal numbers that exist
    is_wanted: which customers of the backup to bring back

    A deleted customer who was made anew has another id: customers are matched by id, then by a number they share with
    somebody who is not in the backup. Labels are matched by id, then by name.
    """
    plan = Plan()
    matches = _matches(backup, live)
    missing: set[str] = set()
    for customer in backup.customers.values():
        if not is_wanted(customer):
            continue
        label_ids, lacking = _labels(customer, live)
        missing.update(lacking)
        old = matches.get(customer.id)
        if old is None and not (customer.numbers and customer.name):
            plan.impossible.append((customer, "Binotel demands a name and a number."))
            continue
        step = _step(customer, old, label_ids, employees)
        if lacking:
            step.notes.append(f"without the labels {clean(', '.join(lacking))}")
        if step.params:
            plan.steps.append(step)
        elif step.notes:
            plan.impossible.append((customer, f"{'; '.join(step.notes)}."))
        else:
            plan.same += 1
    matched = {customer.id for customer in matches.values()}
    plan.only_live = [customer for customer in live.customers.values() if customer.id not in matched]
    plan.missing_labels = sorted(missing)
    return plan


def _matches(backup: Backup, live: Backup) -> dict[str, Customer]:
    """The backup's ids -> the live customers.

    Whoever has just the same number comes first; the same last digits count where they belong to one customer alone,
    and where no country's code says otherwise.
    """
    matches = {identity: live.customers[identity] for identity in backup.customers if identity in live.customers}
    unknown = [customer for identity, customer in live.customers.items() if identity not in backup.customers]
    taken: set[str] = set()
    for form in (str, dialable):
        holders: dict[str, list[Customer]] = {}
        for customer in unknown:
            for number in customer.numbers:
                holders.setdefault(form(number), []).append(customer)
        for customer in backup.customers.values():
            if customer.id in matches:
                continue
            found = {holder.id: holder for number in customer.numbers for holder in holders.get(form(number), [])}
            free = [holder for holder in found.values() if holder.id not in taken]
            if len(free) == 1:
                matches[customer.id] = free[0]
                taken.add(free[0].id)
    return matches


def _labels(customer: Customer, live: Backup) -> tuple[list[str], list[str]]:
    """The live ids of a customer's labels, and the names of those that are not there."""
    by_name = {name: identity for identity, name in live.labels.items()}
    found = {
        name: identity if identity in live.labels else by_name.get(name) for identity, name in customer.labels.items()
    }
    ids = [identity for identity in found.values() if identity is not None]
    return list(dict.fromkeys(ids)), [name for name, identity in found.items() if identity is None]


def _step(customer: Customer, live: Customer | None, label_ids: list[str], employees: set[str]) -> Step:
    notes = []
    values: dict[str, tuple[str, Any]] = {
        "name": ("name", customer.name),
        "numbers": ("numbers", list(customer.numbers)),
        "description": ("description", customer.description),
        "email": ("email", customer.email),
        "employee": ("assignedToEmployeeNumber", customer.employee_number),
        "labels": ("labels", label_ids),
    }
    if customer.employee_number and customer.employee_number not in employees:
        notes.append(f"there is no line {clean(customer.employee_number)} any more: the employee is left as it is")
        del values["employee"]
    for name in ("name", "numbers"):
        if live is not None and not values[name][1]:
            notes.append(f"the {name} cannot be emptied")
            del values[name]
    if live is None:
        fields = [name for name, (_, value) in values.items() if value]
        return Step(customer, None, {values[name][0]: values[name][1] for name in fields}, fields, notes)
    changed = set(changed_fields(live, customer)) - {"labels"}
    if set(label_ids) != set(live.labels):
        changed.add("labels")
    fields = [name for name in values if name in changed]
    params = {values[name][0]: values[name][1] for name in fields}
    return Step(customer, live, {"id": live.id} | params if params else {}, fields, notes)


class Restorer:
    """Carries out steps against a live base that it knows as it was, and keeps track of.

    on_step: called after each step that was tried, with how many were
    """

    def __init__(self, client: BinotelClient, live: Backup, on_step: Callable[[int], None]) -> None:
        self._client = client
        self._on_step = on_step
        self._names = {customer.name: customer.id for customer in live.customers.values()}
        self._numbers = {number: customer.id for customer in live.customers.values() for number in customer.numbers}
        self.failures: list[tuple[Customer, str]] = []
        self.done = 0
        self._tried = 0
        self._in_a_row = 0

    def carry_out(self, steps: list[Step]) -> None:
        """Try every step once, those last that have to wait until another one frees a name or a number.

        What is refused goes into `failures` with the reason, and stops nothing. Raises TransportError or
        SignatureError when the server cannot be used any more.
        """
        waiting = steps
        while waiting:
            blocked = [(step, reason) for step in waiting if (reason := self._try(step))]
            if len(blocked) == len(waiting):
                self.failures += [(step.customer, reason) for step, reason in blocked]
                return
            waiting = [step for step, _ in blocked]

    def _try(self, step: Step) -> str:
        """Why a step has to wait; "" when it was tried."""
        if reason := self._conflict(step):
            return reason
        method = "customers/update" if step.live else "customers/create"
        try:
            answer = self._client.call(method, step.params)
            self._remember(step, step.live.id if step.live else str(answer["customerID"]))
            self.done += 1
            self._in_a_row = 0
        except (ApiError, ValueError) as error:
            self.failures.append((step.customer, str(error)))
            self._in_a_row = 0
        except (TransportError, SignatureError) as error:
            unknown = "" if error.retry_writes else " Whether it was done is unknown: run this again to see."
            self.failures.append((step.customer, f"{error}{unknown}"))
            self._in_a_row += 1
            if self._in_a_row >= MAX_FAILURES_IN_A_ROW:
                raise
        self._tried += 1
        self._on_step(self._tried)
        return ""

    def _conflict(self, step: Step) -> str:
        """The server's rule that a step would break: names and numbers belong to one customer."""
        mine = step.live.id if step.live else ""
        holder = self._names.get(step.params["name"], mine) if "name" in step.params else mine
        if holder != mine:
            return f"the name belongs to customer {clean(holder)}."
        for number in step.params.get("numbers", []):
            holder = self._numbers.get(number, mine)
            if holder != mine:
                return f"the number {clean(number)} belongs to customer {clean(holder)}."
        return ""

    def _remember(self, step: Step, identity: str) -> None:
        """Who has the names and numbers now that a step has been carried out."""
        if "name" in step.params:
            if step.live:
                self._names.pop(step.live.name, None)
            self._names[step.params["name"]] = identity
        if "numbers" in step.params:
            for number in step.live.numbers if step.live else ():
                self._numbers.pop(number, None)
            self._numbers.update(dict.fromkeys(step.params["numbers"], identity))


def employees_of(entries: list[dict[str, Any]]) -> set[str]:
    """The internal numbers of a list of employees."""
    return {str(entry.get("extNumber") or "") for entry in entries} - {""}
