"""The company's "My clients", with the server's rules."""

import random
from collections import Counter
from typing import Any

from common.sandbox.company import EMPLOYEES, HOSTILE_NAMES, Entry
from common.sandbox.refusal import Refusal

LABELS = ("VIP", "Боржник", "Постачальник", '<i>Мітка</i> & "лапки"')


class Customers:
    """The company's "My clients", which can be changed: with the server's rules, in memory."""

    def __init__(self, callers: list[tuple[str, Any]], seed: int) -> None:
        rng = random.Random(f"{seed} My clients")
        self.labels = {str(7000 + index): name for index, name in enumerate(LABELS)}
        self.customers: dict[str, Entry] = {}
        namesakes: Counter[str] = Counter()
        for number, known in callers:
            if not known:
                continue
            namesakes[known["name"]] += 1
            count = namesakes[known["name"]]
            name = known["name"] if count == 1 else f"{known['name']} {count}"
            more = {
                "description": rng.choice(("", "", "Постійний клієнт", *HOSTILE_NAMES)),
                "email": rng.choice(("", "client@example.com")),
                "assignedToEmployeeNumber": rng.choice(("", *EMPLOYEES)),
                "labels": rng.sample(list(self.labels), rng.choice((0, 0, 1, 2))),
            }
            numbers = [number, *([f"0800{number[-6:]}"] if rng.random() < 0.1 else [])]
            self.customers[known["id"]] = self._made(known["id"], {"name": name, "numbers": numbers} | more)

        self._last_id = 6600 + len(callers)

    def create(self, params: dict[str, Any]) -> str:
        self._check(params, "")
        self._last_id += 1
        identity = str(self._last_id)
        self.customers[identity] = self._made(identity, params)
        return identity

    def update(self, params: dict[str, Any]) -> None:
        identity = str(params["id"])
        customer = self._known(identity)
        self._check(params, identity)
        before = {name: customer[name] for name in ("name", "numbers", "description", "email")}
        before["assignedToEmployeeNumber"] = customer["assignedToEmployeeNumber"]
        before["labels"] = [label["id"] for label in customer["labels"] or []]
        self.customers[identity] = self._made(identity, before | params)

    def delete(self, identities: list[str]) -> None:
        for identity in identities:
            self._known(identity)
        for identity in identities:
            del self.customers[identity]

    def search(self, subject: str) -> list[Entry]:
        wanted = subject.lower()
        return [
            customer
            for customer in self.customers.values()
            if wanted in customer["name"].lower() or any(wanted in number for number in customer["numbers"])
        ]

    def _known(self, identity: str) -> Entry:
        if identity not in self.customers:
            raise Refusal(104, "Wrong data")
        return self.customers[identity]

    def _check(self, params: dict[str, Any], identity: str) -> None:
        """Names and numbers belong to one customer; employees and labels exist."""
        others = [customer for customer in self.customers.values() if customer["id"] != identity]
        numbers = params.get("numbers", [])
        if not isinstance(numbers, list) or not all(isinstance(number, str) and number for number in numbers):
            raise Refusal(104, "Wrong data")
        taken = {number for customer in others for number in customer["numbers"]}
        if (
            ("name" in params and not params["name"])
            or ("numbers" in params and not numbers)
            or params.get("name") in {customer["name"] for customer in others}
            or len(set(numbers)) < len(numbers)
            or taken & set(numbers)
            or str(params.get("assignedToEmployeeNumber", "")) not in ("", *EMPLOYEES)
            or not {str(label) for label in params.get("labels", [])} <= self.labels.keys()
        ):
            raise Refusal(104, "Wrong data")

    def _made(self, identity: str, params: dict[str, Any]) -> Entry:
        line = str(params.get("assignedToEmployeeNumber", ""))
        labels = [{"id": str(label), "name": self.labels[str(label)]} for label in params.get("labels", [])]
        return {
            "id": identity,
            "name": params["name"],
            "description": params.get("description", ""),
            "email": params.get("email", ""),
            "assignedToEmployeeID": line and f"55{line}",
            "assignedToEmployeeNumber": line,
            "assignedToEmployee": EMPLOYEES.get(line, ("", ""))[0],
            "numbers": list(params.get("numbers", [])),
            "labels": labels or "",
        }
