"""Who may do what, where: nothing is allowed by default, and every refusal says who could."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.core.args import AppArgs
from bot.core.command import Action, Context, Query, action, list_, query
from bot.core.people import Actor
from bot.core.plan import Place, Plan, Risk
from bot.core.policy import Allow, Ask, ClusterRule, Confirm, Deny, Gate, Grant, Mode, Person, Policy, Role
from bot.core.reply import Reply

ALICE, BOB, EVE = Actor("alice", "alice"), Actor("bob", "bob"), Actor("eve", "eve")
DEV, PROD = Place("dev", "shop"), Place("prod", "shop")


class Looking(AppArgs):
    """Look."""


@query("pods", needs=(list_("pods"),))
async def pods(ctx: Context, args: Looking) -> Reply:
    return Reply("")


@action("deploy", risk=Risk.CHANGE, needs=())
async def deploy(ctx: Context, args: Looking) -> Plan:
    return Plan("", (), Risk.CHANGE)


def policy(*gates: Gate) -> Policy:
    return Policy(
        name="test",
        clusters=(ClusterRule("dev"), ClusterRule("prod", production=True)),
        people=tuple(Person(name, name, name) for name in ("alice", "bob", "eve")),
        roles=(Role("viewer"), Role("deployer", ("deploy",)), Role("sre", ("*",))),
        grants=(
            Grant(("alice",), "deployer", ("dev",), ("shop", "web-*")),
            Grant(("alice",), "viewer", ("prod",)),
            Grant(("bob",), "sre"),
        ),
        gates=gates,
    )


def test_a_granted_command_is_allowed_where_it_is_granted() -> None:
    assert policy().decide(ALICE, deploy, DEV, Risk.CHANGE) == Allow()
    assert policy().decide(ALICE, deploy, Place("dev", "web-1"), Risk.CHANGE) == Allow()


def test_a_viewer_reads_but_does_not_change() -> None:
    assert policy().decide(ALICE, pods, PROD, Risk.LOW) == Allow()

    denial = policy().decide(ALICE, deploy, PROD, Risk.CHANGE)

    assert denial == Deny("You may not `deploy` in prod/shop.", "The role deployer or sre may: ask @bob.")


def test_somebody_without_a_grant_may_not_even_look() -> None:
    denial = policy().decide(EVE, pods, DEV, Risk.LOW)

    assert isinstance(denial, Deny)
    assert denial.reason == "You may not see anything in dev/shop."
    assert "@alice or @bob" in denial.way_out


def test_a_namespace_outside_the_grant_is_refused() -> None:
    assert isinstance(policy().decide(ALICE, pods, Place("dev", "data"), Risk.LOW), Deny)


def test_a_gate_with_approvers_outranks_one_that_only_confirms() -> None:
    both = policy(Gate(reason="look twice"), Gate(("prod",), approvers="an SRE", reason="it is production"))

    assert both.decide(BOB, deploy, PROD, Risk.CHANGE) == Ask("an SRE", "it is production")
    assert both.decide(BOB, deploy, DEV, Risk.CHANGE) == Confirm("look twice")


def test_a_gate_opens_from_its_risk_on_and_never_for_reading() -> None:
    danger = policy(Gate(from_risk=Risk.DANGER, reason="dangerous"))

    assert danger.decide(BOB, deploy, DEV, Risk.CHANGE) == Allow()
    assert danger.decide(BOB, deploy, DEV, Risk.DANGER) == Confirm("dangerous")
    assert danger.decide(BOB, pods, DEV, Risk.DANGER) == Allow()


def test_an_unknown_cluster_counts_as_production() -> None:
    assert policy().production("elsewhere")


def test_the_identity_carries_the_groups_of_the_roles_held_on_that_cluster_only() -> None:
    assert policy().identity(ALICE, "dev").groups == ("steersman:deployer",)
    assert policy().identity(ALICE, "prod").groups == ("steersman:viewer",)


def test_in_role_mode_the_user_is_the_widest_roles_and_the_person_rides_along() -> None:
    roles = replace(policy(), mode=Mode.ROLE)

    here = roles.identity(ALICE, "dev")

    assert (here.user, here.groups) == ("steersman:deployer", ("steersman:deployer",))
    assert here.extra == {"steersman/person": ("alice",)}
    assert roles.identity(EVE, "dev").user == "steersman:nobody"
    assert roles.identity(EVE, "dev").groups == ()


def test_a_role_without_reads_reads_only_what_it_names() -> None:
    narrow = replace(policy(), roles=(Role("deployer", ("deploy",), reads=False), *policy().roles[2:]))

    assert narrow.decide(ALICE, deploy, DEV, Risk.CHANGE) == Allow()
    denial = narrow.decide(ALICE, pods, DEV, Risk.LOW)

    assert denial == Deny("You may not `pods` in dev/shop.", "The role sre may: ask @bob.")
    assert narrow.clusters_of(ALICE, pods) == ()
    assert narrow.reach(ALICE, "dev", pods).patterns == ()


def test_a_role_that_nobody_described_gives_nothing() -> None:
    loose = replace(policy(), roles=())

    assert isinstance(loose.decide(ALICE, pods, DEV, Risk.LOW), Deny)


def test_a_decision_names_the_rule_behind_it() -> None:
    gate = Gate(("prod",), reason="it is production", line=7)
    decided = policy(gate).decide(BOB, deploy, PROD, Risk.CHANGE)

    assert isinstance(decided, Confirm)
    assert decided.by is gate


def test_everybody_who_may_is_told_with_their_grant() -> None:
    holders = policy().holders(deploy, DEV)

    assert [(person.name, grant.role) for person, grant in holders] == [("alice", "deployer"), ("bob", "sre")]


NAMES = st.sampled_from(["alice", "bob", "eve", "mallory", "dev", "prod", "shop", "data", "*", ""])


@given(who=NAMES, cluster=NAMES, namespace=NAMES, grant_to=NAMES, where=NAMES, risk=st.sampled_from(list(Risk)))
def test_nothing_is_allowed_without_a_grant_that_names_the_person(
    who: str, cluster: str, namespace: str, grant_to: str, where: str, risk: Risk
) -> None:
    rules = Policy(
        "generated",
        (ClusterRule("dev"),),
        (Person("alice", "alice", "alice"),),
        (Role("sre", ("*",)),),
        (Grant((grant_to,), "sre", (where,), (where,)),),
    )
    commands: tuple[Query | Action, ...] = (pods, deploy)
    for command in commands:
        decision = rules.decide(Actor(who, who), command, Place(cluster, namespace), risk)
        if isinstance(decision, Allow):
            assert who == grant_to
            assert where in ("*", cluster)
