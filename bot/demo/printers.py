"""The columns of each kind and the cells of a row, as k8s.io/kubernetes/pkg/printers/internalversion prints them."""

from __future__ import annotations

from bot.demo.cells import Printer, age, columns
from bot.demo.objects import name_of
from bot.demo.printers_access import ACCESS
from bot.demo.printers_cluster import CLUSTER
from bot.demo.printers_workloads import WORKLOADS

_PLAIN = Printer(columns("Name", "Age"), lambda obj, now: [name_of(obj), age(obj, now)])
_PRINTERS: dict[str, Printer] = {**WORKLOADS, **CLUSTER, **ACCESS}


def printer_for(resource: str) -> Printer:
    """Return a kind's printer; name and age for the kinds that have none of their own."""
    return _PRINTERS.get(resource, _PLAIN)
