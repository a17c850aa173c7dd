"""What people write for an object of any kind."""

import pytest

from bot.core.args import AppRef
from bot.core.command import Registry
from bot.core.errors import UsageError
from bot.core.grammar import Grammar
from bot.core.things import PodRef, ThingRef
from bot.core.workload import Kind
from commands import logs, show

GRAMMAR = Grammar(Registry([show.show, logs.logs]))


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("show myapp", AppRef("myapp")),
        ("show deploy/web", AppRef("web", Kind.DEPLOYMENT)),
        ("show deploy web", AppRef("web", Kind.DEPLOYMENT)),
        ("show ingress web", ThingRef("ingress", "web")),
        ("show svc/web", ThingRef("svc", "web")),
        ("show clusterrole system:node", ThingRef("clusterrole", "system:node")),
        ("show certificates.cert-manager.io/web-tls", ThingRef("certificates.cert-manager.io", "web-tls")),
        ("logs web", AppRef("web")),
        ("logs pods/web-7f9c", PodRef("pod", "web-7f9c")),
    ],
)
def test_is_read_as_it_is_meant_and_again_from_its_own_line(line: str, meant: object) -> None:
    parsed = GRAMMAR.parse(line)

    assert getattr(parsed.args, "app", None) == meant
    assert getattr(GRAMMAR.parse(parsed.line_at("dev", "shop")).args, "app", None) == meant


@pytest.mark.parametrize(
    "line", ["show svc/", "show /web", "show svc/../x", "show svc/a/b", "logs svc/web", "logs pod/", "show deploy/"]
)
def test_a_name_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        GRAMMAR.parse(line)
