"""Bad policy files: each kind is refused as a whole, with the line and the reason."""

import pytest

import commands
from bot.core.command import Registry
from bot.policyfile.load import load
from bot.policyfile.problem import BadPolicy, Problem

REGISTRY = Registry.of(commands)
GOOD = """\
version: 1
name: the test's
identity: person
clusters:
  dev: {environment: development}
  prod: {environment: production}
people:
  U1: {name: alice, user: alice@example.com}
  U2: {name: bob, user: bob@example.com}
groups:
  sre: [U2]
roles:
  viewer: {commands: [reads]}
  deployer: {commands: [reads, deploy, "rollout *"]}
grants:
  - {people: [U1], role: deployer, clusters: [dev], namespaces: [shop]}
  - {groups: [sre], role: viewer, clusters: ["*"], namespaces: ["*"]}
gates:
  - {clusters: [prod], commands: [deploy], ask: {groups: [sre]}, reason: It is production.}
channels:
  shop: {cluster: dev, namespace: shop}
apps:
  db: {namespace: data}
kinds: [certificates.cert-manager.io]
"""

# what stands in the good file, what stands there instead, the line to blame, words of the reason
WRONG = {
    # -- not a file that is read at all
    "empty": (GOOD, "", 0, "the file is empty"),
    "only a comment": (GOOD, "# nothing\n", 0, "the file is empty"),
    "a list": (GOOD, "- version: 1\n", 1, "must be a mapping"),
    "a word": (GOOD, "policy\n", 1, "must be a mapping"),
    "two documents": ("\ngroups:", "\n---\ngroups:", 10, "a second document"),
    "a broken list": ("[U2]", "[U2", 12, "this is not YAML"),
    "a tab": ("  viewer:", "\tviewer:", 13, "this is not YAML"),
    "a control character": ("the test's", "the \x07test", 2, "U+0007"),
    "an anchor": ("sre: [U2]", "sre: &sre [U2]", 11, "anchors (&)"),
    "an alias": ("[U2]", "*sre", 11, "aliases (*)"),
    "a bare star": ('["*"], namespaces', "[*], namespaces", 17, "YAML"),
    "a merge": ("  db:", "  <<: {}\n  db:", 23, "`<<` merges are not taken"),
    "a tag": ("version: 1", "version: !!int 1", 1, "the tag"),
    "a python object": ("the test's", "!!python/object/apply:os.system [id]", 2, "the tag"),
    "a key twice": ("  prod:", "  dev:", 6, "`dev` stands here twice; first on line 5"),
    "a section twice": ("apps:", "people: {}\napps:", 22, "`people` stands here twice; first on line 7"),
    "a list for a key": ("  db:", "  [db]:", 23, "a key must be a word"),
    "nested too deep": ("[U2]", "[" * 40 + "]" * 40, 11, "nested more than 12 deep"),
    "too many things": ("[U2]", f"[{'x,' * 30_000}]", 11, "more than 20000 things"),
    "too large": ("the test's", "x" * 300_000, 0, "larger than 256 KiB"),
    # -- not the shape of a policy
    "no version": ("version: 1\n", "", 1, "`version` is missing"),
    "a later version": ("version: 1", "version: 2", 1, "`version` must be 1"),
    "a version in quotes": ("version: 1", "version: '1'", 1, "`version` must be 1"),
    "no grants": (GOOD[GOOD.index("grants:") : GOOD.index("gates:")], "", 1, "`grants` is missing"),
    "empty grants": (
        GOOD[GOOD.index("grants:") : GOOD.index("gates:")],
        "grants: []\n",
        15,
        "`grants` must not be empty",
    ),
    "grants left blank": (GOOD[GOOD.index("grants:") : GOOD.index("gates:")], "grants:\n", 15, "must be a list"),
    "a misspelt section": ("channels:", "chanels:", 20, "`chanels` is not a key here. Did you mean `channels`?"),
    "a misspelt key": ("role: viewer", "rule: viewer", 17, "`grants[2].rule` is not a key here. Did you mean `role`?"),
    "a key from elsewhere": (
        "{namespace: data}",
        "{namespace: data, q: 1}",
        23,
        "`apps.db.q` is not a key here. There are",
    ),
    "a misspelt key in a gate's ask": ("{groups: [sre]}", "{group: [sre]}", 19, "Did you mean `groups`?"),
    "an unknown environment": ("development", "developement", 5, "must be 'production', 'staging' or 'development'"),
    "an unknown identity": ("identity: person", "identity: persons", 3, "must be 'person' or 'role'"),
    "an unknown risk": ("reason: It", "risk: high, reason: It", 19, "must be 'low', 'change' or 'danger'"),
    "no clusters": ("[dev], namespaces", "[], namespaces", 16, "`grants[1].clusters` must not be empty"),
    "no namespaces": ("[shop]", "[]", 16, "`grants[1].namespaces` must not be empty"),
    "namespaces left out": (", namespaces: [shop]", "", 16, "`grants[1].namespaces` is missing"),
    "clusters left out": ("clusters: [dev], ", "", 16, "`grants[1].clusters` is missing"),
    "a grant to nobody": ("people: [U1], ", "", 16, "names nobody"),
    "a grant to an empty list": ("people: [U1]", "people: []", 16, "`grants[1].people` must not be empty"),
    "one person where a list is due": ("people: [U1]", "people: U1", 16, "must be a list"),
    "an empty group": ("sre: [U2]", "sre: []", 11, "`groups.sre` must not be empty"),
    "a role without commands": ("commands: [reads]", "commands: []", 13, "must not be empty"),
    "a person twice": ("[U2]", "[U2, U2]", 11, "names `U2` twice"),
    "a number for a name": ("name: bob", "name: 7", 9, "must be text"),
    "a person without a user": (", user: bob@example.com", "", 9, "`people.U2.user` is missing"),
    "a gate that does nothing": ("ask: {groups: [sre]}, ", "", 19, "either `confirm: true` or `ask`"),
    "a gate that does both": ("ask: {", "confirm: true, ask: {", 19, "either `confirm: true` or `ask`"),
    "a gate that confirms not": ("ask: {groups: [sre]}", "confirm: false", 19, "`gates[1].confirm` must be True"),
    "a gate without a reason": (", reason: It is production.", "", 19, "`gates[1].reason` is missing"),
    # -- names that are none
    "a namespace in capitals": ("[shop]", "[Shop]", 16, "`grants[1].namespaces[1]` may hold `*`"),
    "a namespace of 64 letters": ("[shop]", f"[{'x' * 64}]", 16, "may hold `*`"),
    "a namespace with a question mark": ("[shop]", "['sho?']", 16, "may hold `*`"),
    "a channel's namespace as a pattern": (
        "dev, namespace: shop",
        "dev, namespace: 'shop-*'",
        21,
        "lower-case letters",
    ),
    "a role in capitals": ("  viewer:", "  Viewer:", 13, "lower-case letters"),
    "a role of Kubernetes": (
        "  viewer:",
        "  system:masters:",
        13,
        "begins with `system:`, which is reserved to Kubernetes",
    ),
    "a role of the bot": ("  viewer:", "  observer:", 13, "is the name of a role of the bot itself"),
    "a group in capitals": ("  sre:", "  SRE:", 11, "lower-case letters"),
    "a user of Kubernetes": ("bob@example.com", "system:admin", 9, "begins with `system:`"),
    "a service account": ("bob@example.com", "System:serviceaccount:a:b", 9, "begins with `system:`"),
    "a user of the bot": (
        "bob@example.com",
        "steersman:sre",
        9,
        "begins with `steersman:`, which is reserved to the bot",
    ),
    "a user with a blank": ("bob@example.com", "bob smith", 9, "must be one word"),
    "an empty user": ("bob@example.com", "''", 9, "must be one line of text"),
    "a user that hides a character": ("bob@example.com", '"bob\\u200b"', 9, "that can be seen"),
    "a name with a line break": ("the test's", '"a\\nb"', 2, "must be one line"),
    "an id with a blank": ("  U2: {", "  U 2: {", 9, "must be one word"),
    "an app in capitals": ("  db:", "  DB:", 23, "lower-case letters"),
    "a cluster with a blank": ("  prod:", "  prod eu:", 6, "is not the name of a cluster"),
    "Secrets among the kinds": ("[certificates.cert-manager.io]", "[secrets]", 24, "nobody is given Secrets to read"),
    "every kind": ("[certificates.cert-manager.io]", "['*']", 24, "must be a kind"),
    # -- names that nobody described
    "an unknown role": (
        "role: viewer",
        "role: vewer",
        17,
        "there is no role `vewer` in this policy. Did you mean `viewer`?",
    ),
    "an unknown person": ("people: [U1]", "people: [U3]", 16, "there is no person `U3`"),
    "a person by their name": ("people: [U1]", "people: [bob]", 16, "people are named by their id here: `bob` is `U2`"),
    "an unknown person in a group": ("sre: [U2]", "sre: [U2, U9]", 11, "there is no person `U9`"),
    "an unknown group": (
        "groups: [sre], role",
        "groups: [sres], role",
        17,
        "no group `sres` in this policy. Did you mean `sre`?",
    ),
    "an unknown approver": ("ask: {groups: [sre]}", "ask: {groups: [sre], people: [U7]}", 19, "no person `U7`"),
    "an unknown cluster": ("[dev], n", "[dve], n", 16, "there is no cluster `dve` in this policy"),
    "a pattern of no cluster": (
        '["*"], namespaces',
        '["eu-*"], namespaces',
        17,
        "no cluster of this policy is called as `eu-*`",
    ),
    "an unknown cluster in a gate": ("[prod]", "[prd]", 19, "Did you mean `prod`?"),
    "an unknown cluster of a channel": ("{cluster: dev", "{cluster: live", 21, "there is no cluster `live`"),
    "an unknown command": ("deploy, ", "deplyo, ", 14, "no command is called `deplyo`. Did you mean `deploy`?"),
    "a pattern of no command": ('"rollout *"', '"roll-*"', 14, "no command is called `roll-*`"),
    "another name of a command": ("deploy, ", "ship, ", 14, "`ship` is another name of `deploy`: say that"),
    "a decision as a command": ("deploy, ", "confirm, ", 14, "`confirm` needs no grant"),
    "a gate before what only reads": ("commands: [deploy], ask", "commands: [pods], ask", 19, "`pods` changes nothing"),
    "a gate before everything that reads": (
        "commands: [deploy], ask",
        "commands: [reads], ask",
        19,
        "no command is called",
    ),
    "one user for two people": ("bob@example.com", "alice@example.com", 9, "both act as the Kubernetes user"),
    "one name for two people": ("name: bob", "name: alice", 9, "`U2` and `U1` are both called `alice`"),
}


@pytest.mark.parametrize(("there", "instead", "line", "reason"), WRONG.values(), ids=WRONG)
def test_a_bad_file_is_refused_with_its_line_and_the_reason(there: str, instead: str, line: int, reason: str) -> None:
    assert GOOD.count(there) == 1

    with pytest.raises(BadPolicy) as refused:
        load(GOOD.replace(there, instead).encode(), REGISTRY)

    assert [problem for problem in refused.value.problems if problem.line == line and reason in problem.message], (
        refused.value.message
    )


def test_the_good_file_is_good() -> None:
    assert load(GOOD.encode(), REGISTRY).name == "the test's"


def test_text_that_is_not_utf_8_is_refused_with_its_line() -> None:
    with pytest.raises(BadPolicy) as refused:
        load(GOOD.replace("bob,", "b\u00f6b,").encode("latin-1"), REGISTRY)

    assert refused.value.problems == (Problem(9, "this is not UTF-8 text"),)


def test_all_problems_are_told_at_once_in_the_order_of_their_lines() -> None:
    with pytest.raises(BadPolicy) as refused:
        load(
            GOOD.replace("role: viewer", "role: boss").replace("[shop]", "[]").replace("deploy, ", "").encode(),
            REGISTRY,
        )

    assert refused.value.message == (
        "The policy is refused.\n  line 16: `grants[1].namespaces` must not be empty"
    )  # what the parts say of each other is asked once each part is right


def test_a_mistake_in_two_places_is_told_twice() -> None:
    with pytest.raises(BadPolicy) as refused:
        load(GOOD.replace("role: viewer", "role: boss").replace("cluster: dev", "cluster: eu").encode(), REGISTRY)

    assert [problem.line for problem in refused.value.problems] == [17, 21]


def test_a_bomb_is_refused_before_it_is_built() -> None:
    bomb = "a: &a [x]\n" + "".join(f"{n}: &{n} [*{p},*{p},*{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True))

    with pytest.raises(BadPolicy) as refused:
        load(bomb.encode(), REGISTRY)

    assert refused.value.problems[0].line == 1
