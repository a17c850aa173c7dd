"""Whom the embedded cluster lets do what, as the real kubectl hears it: impersonation, reviews, and 403s."""

import pytest
from rigs.oracle_kubectl import needs_kubectl
from rigs.oracle_newcomer import Newcomer

pytestmark = [needs_kubectl, pytest.mark.asyncio(loop_scope="session")]

VIEWER = "--as carol --as-group steersman:viewer"
DEPLOYER = "--as alice --as-group steersman:viewer --as-group steersman:deployer"

IN_SHOP = 'in the namespace "shop"'

REFUSED = [
    ("get secrets", f'User "carol" cannot list resource "secrets" in API group "" {IN_SHOP}'),
    ("get secret myapp-secrets", 'secrets "myapp-secrets" is forbidden: User "carol" cannot get resource "secrets"'),
    ("set image deploy/myapp myapp=myapp:v2", f'cannot patch resource "deployments" in API group "apps" {IN_SHOP}'),
    ("scale deploy/myapp --replicas=2", f'cannot patch resource "deployments/scale" in API group "apps" {IN_SHOP}'),
    ("rollout restart deploy/myapp", 'deployments.apps "myapp" is forbidden: User "carol" cannot patch resource'),
    ("delete pod -l app=myapp", f'cannot delete resource "pods" in API group "" {IN_SHOP}'),
    ("create deployment web --image=web", f'cannot create resource "deployments" in API group "apps" {IN_SHOP}'),
    ("taint node dev-worker-1 a=b:NoSchedule", 'cannot patch resource "nodes" in API group "" at the cluster scope'),
]


@pytest.mark.parametrize(("line", "words"), REFUSED, ids=[line for line, _ in REFUSED])
async def test_a_viewer_is_refused_in_the_servers_own_words(newcomer: Newcomer, line: str, words: str) -> None:
    assert words in await newcomer.refused(f"{line} {VIEWER}")


async def test_a_stranger_sees_nothing(newcomer: Newcomer) -> None:
    assert 'User "eve" cannot list resource "pods"' in await newcomer.refused("get pods --as eve")


async def test_all_groups_count_and_not_only_the_last(newcomer: Newcomer) -> None:
    assert "myapp" in await newcomer.says(f"get deploy {DEPLOYER}")
    assert "(server dry run)" in await newcomer.says(f"scale deploy/myapp --replicas=4 --dry-run=server {DEPLOYER}")


async def test_can_i_answers_for_oneself_and_for_others(newcomer: Newcomer) -> None:
    assert (await newcomer.says("auth can-i '*' '*'")).startswith("yes")
    assert (await newcomer.says(f"auth can-i patch deployments {DEPLOYER}")).startswith("yes")
    assert (await newcomer.says(f"auth can-i patch deployments --subresource=scale {VIEWER}", code=1)).startswith("no")
    assert (await newcomer.says(f"auth can-i get secrets {DEPLOYER}", code=1)).startswith("no")


async def test_can_i_lists_the_rules(newcomer: Newcomer) -> None:
    listed = await newcomer.says(f"auth can-i --list {VIEWER}")

    assert "pods/log" in listed
    assert "patch" not in listed


async def test_a_person_who_logs_in_is_who_they_are(newcomer: Newcomer) -> None:
    carol = newcomer.login("carol")

    assert "carol" in (await carol.run("auth whoami")).out
    assert "myapp" in (await carol.run("get deploy")).out
    assert 'User "carol" cannot impersonate resource "users"' in (await carol.run("get pods --as bob", code=1)).err


async def test_the_bot_may_only_speak_for_people(newcomer: Newcomer) -> None:
    bot = newcomer.login("system:serviceaccount:steersman:steersman")
    as_alice = "--as alice --as-group steersman:viewer"

    assert "cannot list resource" in (await bot.run("get pods", code=1)).err
    assert "myapp" in (await bot.run(f"get deploy {as_alice}")).out
    assert "cannot impersonate" in (await bot.run("get pods --as mallory", code=1)).err
    assert "cannot impersonate" in (await bot.run("get pods --as alice --as-group system:masters", code=1)).err


async def test_a_token_that_nobody_gave_out_is_refused(newcomer: Newcomer) -> None:
    assert "You must be logged in to the server" in await newcomer.refused("get pods --token=made-up")
