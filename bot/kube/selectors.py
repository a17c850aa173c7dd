"""Label selectors, from an object's form (metav1.LabelSelector) to the text that a query takes."""

from typing import Literal, assert_never

import msgspec


class _Expression(msgspec.Struct, gc=False):
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] | None = None

    @property
    def text(self) -> str:
        values = ",".join(sorted(self.values or []))
        match self.operator:
            case "In":
                return f"{self.key} in ({values})"
            case "NotIn":
                return f"{self.key} notin ({values})"
            case "Exists":
                return self.key
            case "DoesNotExist":
                return f"!{self.key}"
            case _:
                assert_never(self.operator)


class Selector(msgspec.Struct, rename="camel", gc=False):
    """metav1.LabelSelector: all of its terms must hold."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[_Expression] | None = None

    @property
    def text(self) -> str:
        """As `labelSelector=` takes it."""
        equal = [f"{key}={value}" for key, value in sorted((self.match_labels or {}).items())]
        return ",".join([*equal, *(expression.text for expression in self.match_expressions or [])])
