"""What never reaches a person, a log or the ledger: Secret values, tokens, stack traces, live mentions, escapes."""

import logging
from base64 import b64encode
from collections.abc import AsyncIterator

import pytest
from rigs.apiserver import eventually
from rigs.chat import as_text
from rigs.weather import Call, answering, changing, previewing, reading, refusing
from rigs.whole_bot import Whole, deployment, small_world, whole_bot

import commands
from bot.core.args import Args
from bot.core.command import Context, Query, Registry, action, query
from bot.core.ledger import State
from bot.core.plan import Plan, Risk
from bot.core.reply import Reply
from bot.demo import admission
from bot.demo.objects import Json
from bot.demo.store import Store

CANARY = "canary-7f3a9c"
SECRET_LINES = (
    "get secrets",
    "get secrets --wide",
    "get secrets -A",
    "get secret vault",
    "get secret vault --wide",
    "show secret/vault",
    "show secret vault",
    "show deploy/myapp",
    "show configmap/settings",
    "get configmap settings",
)


@pytest.fixture
async def whole(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Whole]:
    """Canaries in a Secret, in an environment, in settings and in what was applied last; bob may read Secrets."""
    caplog.set_level(logging.DEBUG)
    async with small_world() as world:
        for cluster in world.clusters.values():
            plant(cluster.store)
        await eventually(lambda: up(world.clusters["dev"].store))
        async with whole_bot(world, deadline=1.0) as whole:
            yield whole


def plant(store: Store) -> None:
    encoded = b64encode(CANARY.encode()).decode()
    applied = f'{{"data":{{"password":"{encoded}"}},"stringData":{{"password":"{CANARY}"}}}}'
    noted = {"kubectl.kubernetes.io/last-applied-configuration": applied}
    secret = {"metadata": {"name": "vault", "namespace": "shop", "annotations": noted}, "data": {"password": encoded}}
    admission.create(store, "secrets", {"apiVersion": "v1", "kind": "Secret", **secret})
    settings = {"app.properties": f"db.password={CANARY}\nurl=postgres://shop:{CANARY}@db/shop\n", "token": CANARY}
    admission.create(
        store,
        "configmaps",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "shop", "annotations": noted},
            "data": settings,
        },
    )
    app = deployment("myapp")
    app["metadata"]["annotations"] = noted
    container = app["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [
        {"name": "DB_PASSWORD", "value": CANARY},
        {"name": "DATABASE_URL", "value": f"postgres://shop:{CANARY}@db/shop"},
        {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "vault", "key": "password"}}},
    ]
    container["args"] = [f"--token={CANARY}", "--password", CANARY]
    admission.create(store, "deployments.apps", app)
    rbac = "rbac.authorization.k8s.io"
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]}
    role: Json = {"kind": "ClusterRole", "metadata": {"name": "secrets"}, "rules": [rule]}
    binding: Json = {
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "secrets"},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "secrets"},
        "subjects": [{"kind": "User", "name": "bob", "apiGroup": rbac}],
    }
    for resource, manifest in (("clusterroles", role), ("clusterrolebindings", binding)):
        admission.create(store, f"{resource}.{rbac}", {"apiVersion": f"{rbac}/v1", **manifest})


def up(store: Store) -> bool:
    return bool((store.get("deployments.apps", "shop", "myapp").get("status") or {}).get("availableReplicas") == 3)


def everything(whole: Whole, caplog: pytest.LogCaptureFixture) -> str:
    """All that was said, logged, reported and recorded."""
    said = "\n".join(as_text(reply) + repr(reply) for reply in whole.bot.recorder.said)
    kept = "\n".join(map(repr, (*whole.ledger._records, *whole.ledger.actions, *whole.ledger._fates)))
    return f"{said}\n{caplog.text}\n{whole.bugs}\n{kept}"


def secrets(whole: Whole) -> tuple[str, ...]:
    return CANARY, b64encode(CANARY.encode()).decode(), whole.token, "Bearer"


async def test_no_command_tells_a_secret_not_even_to_who_may_read_it(
    whole: Whole, caplog: pytest.LogCaptureFixture
) -> None:
    examples = [line for command in Registry.of(commands) if isinstance(command, Query) for line in command.examples]
    for line in (*SECRET_LINES, *examples):
        await whole.bot.says(line, by="bob")
    for line in ("deploy myapp v2", "deploy myapp v-bad", "undo myapp", "scale myapp 2", "restart myapp"):
        await whole.bot.says(line, by="bob")

    assert any("vault" in as_text(reply) for reply in whole.bot.recorder.said)
    assert any(call.path.endswith("/secrets/vault") for call in whole.dev.calls)  # it was really read
    told = everything(whole, caplog)
    assert [secret for secret in secrets(whole) if secret in told] == []
    assert whole.bugs == []


@pytest.mark.parametrize("message", [f"Secret is invalid: data.password: {CANARY}", f"token {CANARY} was not accepted"])
async def test_a_refusal_about_a_secret_is_told_without_the_servers_words(
    whole: Whole, caplog: pytest.LogCaptureFixture, message: str
) -> None:
    whole.dev.strike(lambda call: "/secrets" in call.path, refusing(422, "Invalid", message), times=None)

    answer = await whole.bot.says("show secret/vault", by="bob")

    assert "dev does not accept" in answer.reply.headline
    assert CANARY not in everything(whole, caplog)


@pytest.mark.parametrize("when", [reading, previewing, changing])
async def test_an_answer_that_is_no_answer_is_never_quoted(
    whole: Whole, caplog: pytest.LogCaptureFixture, when: object
) -> None:
    page = f'<html>{CANARY}</html>{{"kind":"Secret","data":"{CANARY}"'
    whole.dev.strike(when, answering(200, page, Set_Cookie=f"session={CANARY}"), times=None)  # type: ignore[arg-type]  # parametrised values have no type

    await whole.bot.says("deploy myapp v2")
    await whole.bot.says("show myapp")

    assert CANARY not in everything(whole, caplog)
    assert whole.bugs == []


# -- bugs --------------------------------------------------------------------------------------------------------------


class NoArgs(Args):
    """Break."""


@query("breaks", needs=(), examples=("breaks",))
async def breaks(ctx: Context, args: NoArgs) -> Reply:
    raise RuntimeError(CANARY)


@action("explodes", risk=Risk.LOW, needs=(), examples=("explodes",))
async def explodes(ctx: Context, args: NoArgs) -> Plan:
    raise KeyError(CANARY)


@pytest.mark.parametrize("line", ["breaks", "explodes"])
async def test_a_bug_shows_only_its_reference(line: str) -> None:
    async with small_world("myapp") as world, whole_bot(world, registry=Registry([breaks, explodes])) as whole:
        answer = await whole.bot.says(line)

        ((reference, error),) = whole.bugs
        assert answer.reply.headline == f"Something went wrong on my side (reference {reference})."
        assert CANARY in str(error)
        assert CANARY not in answer.text
        assert "Traceback" not in answer.text


async def test_a_bug_in_the_middle_of_an_execution_leaves_an_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    async with small_world("myapp") as world, whole_bot(world) as whole:

        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError(CANARY)

        monkeypatch.setattr(whole.pipeline._actions._executor, "run", broken)
        answer = await whole.bot.says("deploy myapp v2")

        assert "Something went wrong on my side" in answer.reply.headline
        assert CANARY not in answer.text
        assert whole.ledger.states == [State.UNKNOWN]
        assert [record.kind for record in await whole.ledger.records()] == ["STARTED", "UNKNOWN"]


async def test_a_bug_in_a_follow_is_told_with_its_reference_and_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with small_world("myapp") as world, whole_bot(world) as whole:

        async def broken(*_: object) -> None:
            raise RuntimeError(CANARY)

        monkeypatch.setattr(whole.ledger, "fate", broken)
        answer = await whole.bot.says("rollout restart myapp", settle=False)
        await whole.pipeline.settled("r1")

        told = as_text(whole.bot.recorder.said[-1])
        assert CANARY not in told
        assert answer.versions
        assert all(state.final for state in whole.ledger.states)


async def test_a_door_that_breaks_during_a_follow_leaves_an_ending_and_a_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with small_world("myapp") as world, whole_bot(world) as whole:
        said = whole.bot.recorder.say

        async def broken(key: str, reply: Reply) -> None:
            if {State.FOLLOWING, State.UNKNOWN} & {*whole.ledger.states}:
                raise ConnectionResetError("the door is gone")
            await said(key, reply)

        monkeypatch.setattr(whole.bot.recorder, "say", broken)
        await whole.bot.says("deploy myapp v2")
        await eventually(lambda: len(whole.bugs) == 2)

        assert whole.ledger.states == [State.UNKNOWN]
        assert {type(error) for _, error in whole.bugs} == {ConnectionResetError}


# -- text that is not ours ---------------------------------------------------------------------------------------------

EVIL = "<!channel> \x1b[31mred\x1b[0m \x1b]0;title\x07 <@U123> *bold* \u202eevil\u202c \x00 &lt;"


def on_logs(call: Call) -> bool:
    return call.path.endswith("/log")


async def test_text_from_a_cluster_arrives_as_plain_text() -> None:
    async with small_world() as world:
        store = world.clusters["dev"].store
        app = deployment("myapp")
        app["metadata"]["annotations"] = {"note": EVIL, "kubernetes.io/change-cause": EVIL}
        admission.create(store, "deployments.apps", app)
        await eventually(lambda: up(store))
        async with whole_bot(world) as whole:
            whole.dev.strike(on_logs, answering(200, f"{EVIL}\n" * 3), times=None)
            lines = ("show deploy/myapp", "logs myapp", "rollout history myapp", "myapp", "deploy myapp v-bad")
            for line in (*lines, "events myapp", f'deploy myapp v3 --reason "{EVIL}"', f"deploy {EVIL} v2", "versions"):
                await whole.bot.says(line)

            told = "\n".join(as_text(reply) for reply in whole.bot.recorder.said)
            assert "<!channel>" in told  # as it was written: the doors escape it
            assert "red" in told
            assert [char for char in told if not (char.isprintable() or char in "\n\t\u00a0")] == []
            assert whole.bugs == []
