"""What pydantic has to say of a policy's file, in words for its owner and with lines."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.core.suggest import did_you_mean, listed, nearest
from bot.policyfile.problem import Problem
from bot.policyfile.reading import Document, Path

_Schema: TypeAlias = Mapping[str, Any]  # JSON, as pydantic makes it
_SAYINGS: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "string_type": "must be text; put it in quotes",
    "too_short": "must not be empty",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "mapping_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "string_too_long": "is too long",
}


def problems(error: ValidationError, model: type[BaseModel], document: Document) -> Iterator[Problem]:
    """Each complaint as a sentence that begins with the key, on the line where the key stands."""
    for detail in error.errors(include_url=False, include_context=True):
        path: Path = tuple(step for step in detail["loc"] if step != "[key]")
        if detail["type"] == "missing":
            yield Problem(document.line(path[:-1]), f"{_where(path)} is missing")
        elif detail["type"] == "extra_forbidden":
            yield Problem(document.line(path), f"{_where(path)} is not a key here. {_keys(path, model)}")
        else:
            yield Problem(document.line(path), f"{_where(path)} {_saying(detail)}")


def _saying(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    match kind:
        case "value_error":
            return str(context["error"])
        case "literal_error" | "enum":
            return f"must be {context['expected']}"
        case _:
            return _SAYINGS.get(kind, f"is wrong: {detail['msg'].lower()}")


def _where(path: Path) -> str:
    """`grants[2].role` for a path; the file itself without one."""
    said = ""
    for step in path:
        said += f"[{step + 1}]" if isinstance(step, int) else f"{'.' if said else ''}{step}"
    return f"`{said}`" if said else "the policy"


def _keys(path: Path, model: type[BaseModel]) -> str:
    known = _fields(model, path[:-1])
    near = nearest(str(path[-1]), known, limit=1)
    return did_you_mean(near) or f"There are {listed(known)}."


def _fields(model: type[BaseModel], path: Path) -> tuple[str, ...]:
    """The keys that may stand at a path: by the schema, which knows what is in mappings and lists."""
    schema = model.model_json_schema()
    here: _Schema = schema
    for step in path:
        inside = here.get("properties", {})
        here = inside[step] if step in inside else here.get("items") or here.get("additionalProperties", {})
        here = next((one for one in here.get("anyOf", ()) if "$ref" in one), here)
        if "$ref" in here:
            here = schema["$defs"][here["$ref"].rpartition("/")[2]]
    return tuple(here.get("properties", {}))
