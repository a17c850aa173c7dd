"""Rows of roles, bindings, accounts and leases."""

from __future__ import annotations

from datetime import datetime

from bot.demo.cells import Printer, age, columns, joined
from bot.demo.objects import Json, name_of


def _role(obj: Json, _now: datetime) -> list[object]:
    return [name_of(obj), obj["metadata"].get("creationTimestamp", "")]


def _binding(obj: Json, now: datetime) -> list[object]:
    def named(kind: str) -> str:
        subjects = [known for known in obj.get("subjects") or () if known.get("kind") == kind]
        return ", ".join(
            f"{known['namespace']}/{known['name']}" if known.get("namespace") else known["name"] for known in subjects
        )

    role = f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"
    return [name_of(obj), role, age(obj, now), named("User"), named("Group"), named("ServiceAccount")]


def _account(obj: Json, now: datetime) -> list[object]:
    return [name_of(obj), len(obj.get("secrets") or ()), age(obj, now)]


def _lease(obj: Json, now: datetime) -> list[object]:
    return [name_of(obj), joined(filter(None, [(obj.get("spec") or {}).get("holderIdentity")]), ""), age(obj, now)]


def _priority(obj: Json, now: datetime) -> list[object]:
    is_default = str(bool(obj.get("globalDefault"))).lower()
    policy = obj.get("preemptionPolicy", "PreemptLowerPriority")
    return [name_of(obj), obj.get("value", 0), is_default, age(obj, now), policy]


_RBAC = "rbac.authorization.k8s.io"
_BOUND = columns("Name", "Role", "Age", "+Users", "+Groups", "+ServiceAccounts")

ACCESS: dict[str, Printer] = {
    f"roles.{_RBAC}": Printer(columns("Name", "Created At"), _role),
    f"clusterroles.{_RBAC}": Printer(columns("Name", "Created At"), _role),
    "limitranges": Printer(columns("Name", "Created At"), _role),
    f"rolebindings.{_RBAC}": Printer(_BOUND, _binding),
    f"clusterrolebindings.{_RBAC}": Printer(_BOUND, _binding),
    "serviceaccounts": Printer(columns("Name", "#Secrets", "Age"), _account),
    "leases.coordination.k8s.io": Printer(columns("Name", "Holder", "Age"), _lease),
    "priorityclasses.scheduling.k8s.io": Printer(
        columns("Name", "#Value", "Global-Default", "Age", "PreemptionPolicy"), _priority
    ),
}
