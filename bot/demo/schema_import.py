"""How ``schema.txt`` is made: Kubernetes' OpenAPI document and Go types, reduced to what the demo serves.

Run it when the demo is to follow a newer Kubernetes. The three arguments are the folders of the Go modules
k8s.io/kubernetes, k8s.io/api and k8s.io/apimachinery of one release (``go mod download -json`` says where they are)::

    python -m bot.demo.schema_import KUBERNETES API APIMACHINERY > bot/demo/schema.txt
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.demo.kinds import KINDS
from bot.demo.objects import Json

_SCALARS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intstr",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microtime",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
}
_PLAIN = {"string": "str", "boolean": "bool", "integer": "int", "number": "num", "object": "any"}


# Bodies of requests that are no kinds of their own.
_BODIES = (
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    "io.k8s.api.autoscaling.v1.Scale",
    "io.k8s.api.policy.v1.Eviction",
)

_GO_TYPE = re.compile(r"^type (\w+) struct \{$(.*?)^\}", re.MULTILINE | re.DOTALL)
_GO_FIELD = re.compile(
    r"^\s+(?:\w+\s+)?(?P<pointer>\*?)(?P<type>[\w.\[\]*]+)\s+"
    r"`json:\"(?P<name>\w*)(?P<options>[^\"]*)\"[^`]*?protobuf:\"\w+,(?P<number>\d+)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class GoField:
    """A field's protobuf number (several steps for one that Go inlines) and whether its zero is not written."""

    number: str
    omits_zero: bool


class GoTypes:
    """The fields of Go's types, by the types' OpenAPI names."""

    def __init__(self, api: Path, machinery: Path) -> None:
        self._bodies: dict[str, str] = {}
        for file in sorted([*api.glob("*/v*/types*.go"), *machinery.glob("pkg/apis/meta/v1/types*.go")]):
            root, base = (api, "api") if file.is_relative_to(api) else (machinery, "apimachinery")
            package = ".".join(("io.k8s", base, *file.parent.relative_to(root).parts))
            for found in _GO_TYPE.finditer(file.read_text(encoding="utf-8")):
                self._bodies[f"{package}.{found[1]}"] = found[2]

    def fields(self, full: str) -> dict[str, GoField]:
        known: dict[str, GoField] = {}
        for found in _GO_FIELD.finditer(self._bodies.get(full, "")):
            if found["name"]:
                omits = "omitempty" in found["options"] and not found["pointer"]
                known[found["name"]] = GoField(found["number"], omits)
            else:
                inlined = self.fields(f"{full.rpartition('.')[0]}.{found['type']}")
                known |= {
                    name: GoField(f"{found['number']}.{field.number}", field.omits_zero)
                    for name, field in inlined.items()
                }
        return known


class Reduction:
    """The types reachable from the served kinds, under their shortest unambiguous names."""

    def __init__(self, definitions: dict[str, Json], go_types: GoTypes) -> None:
        self._definitions = definitions
        self._go_types = go_types
        self._names: dict[str, str] = {}  # full → short
        self._waiting: list[str] = []

    def lines(self) -> list[str]:
        by_kind = {
            (gvk["group"], gvk["version"], gvk["kind"]): full
            for full, definition in self._definitions.items()
            for gvk in definition.get("x-kubernetes-group-version-kind", ())[:1]
        }
        for kind in KINDS:
            if (full := by_kind.get((kind.group, kind.version, kind.kind))) is not None:
                self._name(full)
        for full in _BODIES:
            self._name(full)
        found = []
        while self._waiting:
            full = self._waiting.pop()
            found.append(self._line(full))
        return sorted(found, key=lambda line: line.lstrip("^"))

    def _name(self, full: str) -> str:
        if full not in self._names:
            group, _, short = full.removeprefix("io.k8s.").rpartition(".")
            taken = short in self._names.values()
            self._names[full] = f"{group.split('.')[-2]}.{short}" if taken else short
            self._waiting.append(full)
        return self._names[full]

    def _line(self, full: str) -> str:
        definition = self._definitions[full]
        required = set(definition.get("required", ()))
        go_fields = self._go_types.fields(full)
        fields = [
            f"{name}:{self._shape(shape)}{_wire(go_fields.get(name))}{'!' if name in required else ''}"
            for name, shape in sorted(definition.get("properties", {}).items())
        ]
        atomic = "^" if definition.get("x-kubernetes-map-type") == "atomic" else ""
        return f"{atomic}{self._names[full]} {' '.join(fields)}"

    def _shape(self, shape: Json) -> str:
        strategy = shape.get("x-kubernetes-patch-strategy", "")
        marks = "~" if "retainKeys" in strategy else ""
        if "merge" in strategy.split(",") and shape.get("type") == "array":
            marks += "@" + shape.get("x-kubernetes-patch-merge-key", "")
        if shape.get("x-kubernetes-map-type") == "atomic":
            marks += "^"
        if "$ref" in shape:
            full = shape["$ref"].removeprefix("#/definitions/")
            if full in _SCALARS:
                return _SCALARS[full]
            return (self._name(full) if self._definitions[full].get("properties") else "any") + marks
        if shape.get("type") == "array":
            match shape.get("x-kubernetes-list-type"):
                case "map":
                    marks = "#" + ",".join(shape["x-kubernetes-list-map-keys"]) + marks
                case "set":
                    marks = "*" + marks
            return f"[{self._shape(shape['items'])}]{marks}"
        if "additionalProperties" in shape:
            return "{" + self._shape(shape["additionalProperties"]) + "}" + marks
        return {"byte": "bytes", "int64": "long"}.get(shape.get("format", ""), _PLAIN[shape["type"]]) + marks


def _wire(field: GoField | None) -> str:
    return "" if field is None else f"={field.number}{'%' if field.omits_zero else ''}"


def main() -> None:
    kubernetes, api, machinery = map(Path, sys.argv[1:4])
    document = json.loads((kubernetes / "api/openapi-spec/swagger.json").read_text(encoding="utf-8"))
    version = document["info"]["version"]
    sys.stdout.write(
        f"# Types of Kubernetes {version}; made by bot/demo/schema_import.py; bot/demo/schema.py says how to read it.\n"
    )
    sys.stdout.write("\n".join(Reduction(document["definitions"], GoTypes(api, machinery)).lines()) + "\n")


if __name__ == "__main__":
    main()
