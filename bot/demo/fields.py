"""Complaints about fields (k8s.io/apimachinery/pkg/util/validation/field): collected first, then refused together."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.demo.kinds import Kind
from bot.demo.status import Cause, Invalid


class Problems:
    """The wrong fields of one object, each in the server's sentence."""

    def __init__(self) -> None:
        self.causes: list[Cause] = []

    def add(self, path: str, reason: str, message: str) -> None:
        self.causes.append(Cause(path, reason, message))

    def invalid(self, path: str, value: object, why: str) -> None:
        self.add(path, "FieldValueInvalid", f"Invalid value: {said(value)}: {why}")

    def required(self, path: str, why: str = "") -> None:
        self.add(path, "FieldValueRequired", "Required value" + (f": {why}" if why else ""))

    def duplicate(self, path: str, value: object) -> None:
        self.add(path, "FieldValueDuplicate", f"Duplicate value: {said(value)}")

    def forbidden(self, path: str, why: str) -> None:
        self.add(path, "FieldValueForbidden", f"Forbidden: {why}")

    def not_found(self, path: str, value: object) -> None:
        self.add(path, "FieldValueNotFound", f"Not found: {said(value)}")

    def unsupported(self, path: str, value: object, supported: Sequence[str]) -> None:
        listed = ", ".join(f'"{known}"' for known in supported)
        self.add(path, "FieldValueNotSupported", f"Unsupported value: {said(value)}: supported values: {listed}")

    @property
    def text(self) -> str:
        told = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in self.causes]
        return told[0] if len(told) == 1 else "[" + ", ".join(told) + "]"

    def raise_for(self, kind: Kind, name: str) -> None:
        """Raise Invalid when there is any problem."""
        if self.causes:
            qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
            raise Invalid(
                f'{qualified} "{name}" is invalid: {self.text}',
                resource=kind.resource,
                kind=kind.kind,
                name=name,
                causes=self.causes,
            )


def said(value: object) -> str:
    """Write a value as Go's field errors do: strings quoted, numbers bare, structures as JSON."""
    return "null" if value is None else msgspec.json.encode(value).decode()
