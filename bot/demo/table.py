"""How an answer is shaped: the object itself, only its metadata, or a Table as kubectl prints it (meta.k8s.io/v1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.demo.cells import Column, Printer
from bot.demo.kinds import Kind
from bot.demo.objects import Json
from bot.demo.printers import printer_for
from bot.demo.status import NotAcceptable

Form = Literal["object", "table", "metadata"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the client wants: the form, and for a table how much of each object goes with its row."""

    form: Form
    include: str = "Metadata"  # None, Metadata or Object


def accepted(header: str, include: str | None) -> Accepted:
    """Choose among an Accept header's types the first that can be served; raises NotAcceptable."""
    for wanted in (part.strip() for part in (header or "*/*").split(",")):
        media, *options = (piece.strip() for piece in wanted.split(";"))
        shape = dict(option.split("=", 1) for option in options if "=" in option)
        if media not in {"application/json", "*/*", "application/*"}:
            continue
        match shape.get("as"):
            case "Table":
                return Accepted("table", include or "Metadata")
            case "PartialObjectMetadata" | "PartialObjectMetadataList":
                return Accepted("metadata")
            case None:
                return Accepted("object")
            case _:
                continue
    raise NotAcceptable(
        "only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io"
    )


def metadata_only(obj: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def metadata_list(objects: Iterable[Json], meta: Json) -> Json:
    items = [metadata_only(obj) for obj in objects]
    return {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": items}


def table(kind: Kind, objects: Iterable[Json], meta: Json, include: str, now: datetime) -> Json:
    """Return the Table of some objects of one kind; ``meta`` is the list's metadata."""
    printer = printer_for(kind.resource)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": [_definition(column) for column in printer.columns],
        "rows": [_row(printer, obj, include, now) for obj in objects],
    }


def _definition(column: Column) -> Json:
    return {
        "name": column.name,
        "type": column.type,
        "format": "name" if column.name == "Name" else "",
        "description": column.name,
        "priority": column.priority,
    }


def _row(printer: Printer, obj: Json, include: str, now: datetime) -> Json:
    cells = printer.cells(obj, now)
    match include:
        case "None":
            return {"cells": cells, "object": None}
        case "Object":
            return {"cells": cells, "object": obj}
        case _:
            return {"cells": cells, "object": metadata_only(obj)}
