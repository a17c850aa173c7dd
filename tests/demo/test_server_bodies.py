"""Bodies of every shape: whatever a client sends, the server answers in kind and never breaks."""

from __future__ import annotations

import random
from typing import Any

import pytest
from rigs.apiserver import APPLY, JSON_PATCH, MERGE, STRATEGIC, TABLE, Api

from bot.demo.kinds import Kind, stored
from bot.demo.schema import ListOf, MapOf, Scalar, Shape, Struct, types

_WRONG: list[Any] = [None, 1, -1, "", [], {}, "x y", True, "1Gi", 0, "80%"]
_RIGHT: dict[str, list[Any]] = {
    "str": ["a", "web", "RollingUpdate", "Recreate"],
    "int": [-1, 0, 3],
    "long": [3],
    "bool": [True],
    "num": [1.5],
    "quantity": ["1Gi", "-1"],
    "intstr": [1, "50%", "x"],
    "time": ["2026-01-01T00:00:00Z"],
    "microtime": ["2026-01-01T00:00:00.000000Z"],
    "bytes": ["YQ=="],
    "any": [{"a": 1}],
}


def _made(shape: Shape, dice: random.Random, depth: int) -> Any:
    if dice.random() < 0.15:
        return dice.choice(_WRONG)
    match shape:
        case Struct():
            likely = 0.5 if depth < 2 else 0.25
            fields = types()[shape.name].fields if depth < 9 else {}
            return {
                key: _made(inner, dice, depth + 1)
                for key, inner in fields.items()
                if key not in {"apiVersion", "kind"} and dice.random() < likely
            }
        case MapOf():
            return {dice.choice("abc"): _made(shape.value, dice, depth + 1)}
        case ListOf():
            return [_made(shape.item, dice, depth + 1) for _ in range(dice.randint(0, 2))]
        case Scalar():
            return dice.choice(_RIGHT[shape.kind])


def _body(kind: Kind, dice: random.Random) -> Any:
    body = _made(Struct(kind.kind), dice, 0)
    if isinstance(body, dict) and dice.random() < 0.9:
        body["metadata"] = {"name": dice.choice("ab"), "labels": {"app": "web"}}
    return body


@pytest.mark.parametrize("seed", range(4))
async def test_no_body_makes_the_server_fail(api: Api, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # the same bodies at every run
    kinds = list(stored())
    for _ in range(250):
        kind = dice.choice(kinds)
        path = f"{kind.base}{'/namespaces/shop' if kind.namespaced else ''}/{kind.plural}"
        body = _body(kind, dice)
        patch = dice.choice([MERGE, STRATEGIC, APPLY, JSON_PATCH])
        replies = [
            await api.post(path, body),
            await api.put(f"{path}/a", body),
            await api.patch(f"{path}/a?fieldManager=somebody", body, patch),
            await api.get(path, TABLE),
        ]
        for reply in replies:
            unexpected = reply.code == 500 and "failed to create typed patch object" not in reply.body["message"]
            assert not unexpected, f"{kind.kind}: {body}"
