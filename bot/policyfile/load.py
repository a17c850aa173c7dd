"""A file's bytes in, the core's `Policy` out, or every reason why not."""

import json
from collections.abc import Iterable

from pydantic import ValidationError

from bot.core.command import Registry
from bot.core.plan import Place, Risk
from bot.core.policy import AppRule, ChannelRule, ClusterRule, Gate, Grant, Person, Policy, Role
from bot.policyfile.complaints import problems
from bot.policyfile.problem import BadPolicy
from bot.policyfile.reading import Document, read
from bot.policyfile.references import READS, check
from bot.policyfile.shape import Danger, Environment, GatePart, PolicyShape, WhoPart

_RISKS = {Danger.LOW: Risk.LOW, Danger.CHANGE: Risk.CHANGE, Danger.DANGER: Risk.DANGER}


def load(raw: bytes, registry: Registry) -> Policy:
    """Read a policy. Its commands are those of the registry. Raises BadPolicy with every problem and its line."""
    document = read(raw)
    try:
        shape = PolicyShape.model_validate(document.value)
    except ValidationError as error:
        raise BadPolicy(problems(error, PolicyShape, document)) from error
    if found := list(check(shape, document, registry)):
        raise BadPolicy(found)
    return _policy(shape, document)


def schema() -> str:
    """The JSON schema of the file, as editors read it."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **PolicyShape.model_json_schema()}
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _policy(shape: PolicyShape, document: Document) -> Policy:
    return Policy(
        name=shape.name,
        mode=shape.identity,
        clusters=tuple(
            ClusterRule(name, production=part.environment is Environment.PRODUCTION)
            for name, part in shape.clusters.items()
        ),
        people=tuple(Person(key, part.name, part.user) for key, part in shape.people.items()),
        roles=tuple(
            Role(name, tuple(pattern for pattern in part.commands if pattern != READS), reads=READS in part.commands)
            for name, part in shape.roles.items()
        ),
        grants=tuple(
            Grant(_everybody(shape, part), part.role, part.clusters, part.namespaces, document.line(("grants", at)))
            for at, part in enumerate(shape.grants)
        ),
        gates=tuple(_gate(shape, part, document.line(("gates", at))) for at, part in enumerate(shape.gates)),
        channels=tuple(ChannelRule(key, Place(at.cluster, at.namespace)) for key, at in shape.channels.items()),
        apps=tuple(AppRule(name, part.namespace) for name, part in shape.apps.items()),
        kinds=shape.kinds,
    )


def _everybody(shape: PolicyShape, who: WhoPart) -> tuple[str, ...]:
    """The ids of the people, those of the groups among them, each once."""
    members = (member for group in who.groups for member in shape.groups[group])
    return tuple(dict.fromkeys([*who.people, *members]))


def _gate(shape: PolicyShape, part: GatePart, line: int) -> Gate:
    approvers = "" if part.ask is None else _or(f"@{shape.people[key].name}" for key in _everybody(shape, part.ask))
    return Gate(part.clusters, part.commands, _RISKS[part.risk], approvers, part.reason, line)


def _or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
