"""The audit list: one entry a request, with the names that audit.k8s.io/v1 gives them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Audit:
    """One answered request. ``impersonated_user`` is "" when the caller spoke for himself."""

    audit_id: str
    verb: str
    uri: str
    user: str
    impersonated_user: str
    impersonated_groups: tuple[str, ...]
    code: int
    user_agent: str
    dry_run: bool = False
