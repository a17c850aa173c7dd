"""How each part of a reply looks on a terminal, wide and narrow; and that nothing in it is more than text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from rigs.paper import Paper, shown

from bot.core.readable import readable
from bot.core.reply import (
    Button,
    Buttons,
    Code,
    Diff,
    Fields,
    Note,
    Part,
    Progress,
    Reply,
    Sign,
    Table,
    Text,
    Tone,
)

IMAGE = "registry.example.com/shop/storefront:2.8.1"
PODS = Table(
    ("Name", "Ready", "Status", "Restarts", "Age"),
    (
        ("cart-worker-6d9b564965-drfcm", "1/1", "Running", "0", "12d"),
        ("myapp-68f847796f-4dtzb", "0/1", "ImagePullBackOff", "12", "75d"),
    ),
    total=40,
)
IMAGES = Table(
    ("Workload", "Container", "Image", "Digest", "Pods"),
    (
        ("deploy/storefront", "migrate (init)", IMAGE, "sha256:17cfa6c1c26d", "2"),
        ("deploy/myapp", "", "myapp:v1", "", "3"),
    ),
)
ROLES = Table(
    ("Cluster", "You may change"),
    (("dev", "deploy, rollout pause, rollout restart, rollout resume, rollout undo, scale, undo"), ("prod", "nothing")),
)
LONG = "The autoscaler `myapp` owns the replicas of deploy/myapp (3 to 10): it may change this again as the load asks."


def a_reply(*parts: Part) -> Reply:
    return Reply("Deploy myapp v2", Tone.PLAIN, parts, "dev/shop")


@pytest.mark.parametrize(
    ("tone", "line"),
    [
        (Tone.PLAIN, "dev/shop  Deploy myapp v2\n"),
        (Tone.GOOD, "dev/shop  ✓ Deploy myapp v2\n"),
        (Tone.BAD, "dev/shop  ✗ Deploy myapp v2\n"),
        (Tone.WARN, "dev/shop  ! Deploy myapp v2\n"),
        (Tone.WAIT, "dev/shop  … Deploy myapp v2\n"),
    ],
)
async def test_the_headline_begins_with_the_place_and_sounds_like_its_tone(tone: Tone, line: str) -> None:
    assert await shown(Reply("Deploy myapp v2", tone, (), "dev/shop")) == line


async def test_without_a_place_the_headline_stands_alone() -> None:
    assert await shown(Reply("Who are you?", Tone.BAD)) == "✗ Who are you?\n"


async def test_texts_and_notes_wide() -> None:
    assert await shown(a_reply(Text("One.\nTwo."), Note(LONG, Tone.WARN), Note("By the way."))) == snapshot("""\
dev/shop  Deploy myapp v2
  One.
  Two.
  ! The autoscaler `myapp` owns the replicas of deploy/myapp (3 to 10): it may change this again as
    the load asks.
  · By the way.
""")


async def test_texts_and_notes_narrow_hang_below_themselves() -> None:
    assert await shown(a_reply(Text(LONG), Note(LONG, Tone.WARN)), 60) == snapshot("""\
dev/shop  Deploy myapp v2
  The autoscaler `myapp` owns the replicas of deploy/myapp
  (3 to 10): it may change this again as the load asks.
  ! The autoscaler `myapp` owns the replicas of deploy/myapp
    (3 to 10): it may change this again as the load asks.
""")


async def test_fields_wide() -> None:
    assert await shown(a_reply(Fields((("Pod", "myapp-1"), ("Container", "myapp"), ("Says", LONG))))) == snapshot("""\
dev/shop  Deploy myapp v2
  Pod        myapp-1
  Container  myapp
  Says       The autoscaler `myapp` owns the replicas of deploy/myapp (3 to 10): it may change this
             again as the load asks.
""")


async def test_fields_narrow_go_on_below_their_own_value() -> None:
    assert await shown(a_reply(Fields((("Pod", "myapp-1"), ("Says", LONG)))), 60) == snapshot("""\
dev/shop  Deploy myapp v2
  Pod   myapp-1
  Says  The autoscaler `myapp` owns the replicas of
        deploy/myapp (3 to 10): it may change this again as
        the load asks.
""")


async def test_a_table_wide() -> None:
    assert await shown(a_reply(PODS)) == snapshot("""\
dev/shop  Deploy myapp v2
  Name                          Ready  Status            Restarts  Age
  cart-worker-6d9b564965-drfcm  1/1    Running           0         12d
  myapp-68f847796f-4dtzb        0/1    ImagePullBackOff  12        75d
  2 of 40 shown.
""")


async def test_a_table_narrow_moves_closer() -> None:
    assert await shown(a_reply(PODS), 66) == snapshot("""\
dev/shop  Deploy myapp v2
  Name                         Ready Status           Restarts Age
  cart-worker-6d9b564965-drfcm 1/1   Running          0        12d
  myapp-68f847796f-4dtzb       0/1   ImagePullBackOff 12       75d
  2 of 40 shown.
""")


async def test_a_table_of_words_goes_on_below() -> None:
    assert await shown(a_reply(ROLES), 60) == snapshot("""\
dev/shop  Deploy myapp v2
  Cluster  You may change
  dev      deploy, rollout pause, rollout restart, rollout
           resume, rollout undo, scale, undo
  prod     nothing
""")


async def test_a_table_of_names_that_cannot_fit_is_a_list() -> None:
    assert await shown(a_reply(IMAGES), 60) == snapshot("""\
dev/shop  Deploy myapp v2
  deploy/storefront
    Container  migrate (init)
    Image      registry.example.com/shop/storefront:2.8.1
    Digest     sha256:17cfa6c1c26d
    Pods       2
  deploy/myapp
    Image  myapp:v1
    Pods   3
""")


async def test_two_tables_stand_apart() -> None:
    one = Table(("A",), (("1",),))

    assert await shown(a_reply(one, one)) == snapshot("""\
dev/shop  Deploy myapp v2
  A
  1

  A
  1
""")


async def test_code_wide_and_narrow() -> None:
    code = Code("INFO  [http-5] GET /api/orders 200 16 ms\n\tat a.b.C", "last lines of myapp", "The last 2 lines.")

    assert await shown(a_reply(code)) == snapshot("""\
dev/shop  Deploy myapp v2
  last lines of myapp
    INFO  [http-5] GET /api/orders 200 16 ms
        at a.b.C
  The last 2 lines.
""")
    assert await shown(a_reply(code), 40) == snapshot("""\
dev/shop  Deploy myapp v2
  last lines of myapp
    INFO  [http-5] GET /api/orders 200
    16 ms
        at a.b.C
  The last 2 lines.
""")


async def test_a_diff_wide_and_narrow() -> None:
    lines = ((Sign.WHERE, "spec"), (Sign.GONE, "image: myapp:v1"), (Sign.NEW, f"image: {IMAGE}"), (Sign.SAME, "x: 1"))
    diff = Diff("deployment/myapp", lines)

    assert await shown(a_reply(diff)) == snapshot("""\
dev/shop  Deploy myapp v2
  deployment/myapp
  @ spec
  - image: myapp:v1
  + image: registry.example.com/shop/storefront:2.8.1
    x: 1
""")
    assert await shown(a_reply(diff), 40) == snapshot("""\
dev/shop  Deploy myapp v2
  deployment/myapp
  @ spec
  - image: myapp:v1
  + image:
    registry.example.com/shop/storefront
    :2.8.1
    x: 1
""")


@pytest.mark.parametrize(
    ("done", "total", "bar"),
    [
        (0, 3, "░░░░░░░░░░░░"),
        (2, 3, "▓▓▓▓▓▓▓▓░░░░"),
        (3, 3, "▓▓▓▓▓▓▓▓▓▓▓▓"),
        (5, 3, "▓▓▓▓▓▓▓▓▓▓▓▓"),
        (0, 0, "▓▓▓▓▓▓▓▓▓▓▓▓"),
    ],
)
async def test_progress_is_a_bar_and_its_sentence(done: int, total: int, bar: str) -> None:
    assert await shown(a_reply(Progress(done, total, "some ready · 4 s"))) == (
        f"dev/shop  Deploy myapp v2\n  {bar} some ready · 4 s\n"
    )


async def test_buttons_have_numbers() -> None:
    buttons = Buttons((Button("Undo", "undo myapp", id="1"), Button("Logs", "logs myapp", id="2")))

    assert await shown(a_reply(buttons)) == "dev/shop  Deploy myapp v2\n  [1] Undo  [2] Logs\n"


async def test_many_buttons_stand_in_columns_and_no_number_parts_from_its_label() -> None:
    buttons = Buttons(tuple(Button(f"storefront-v{n}", "x", id=str(n)) for n in range(1, 8)))

    assert await shown(a_reply(buttons), 60) == snapshot("""\
dev/shop  Deploy myapp v2
  [1] storefront-v1  [2] storefront-v2  [3] storefront-v3
  [4] storefront-v4  [5] storefront-v5  [6] storefront-v6
  [7] storefront-v7
""")


ANYTHING = st.text(max_size=40) | st.text("\x1b[]mJH31;/\u202e\u200b\x07\r\n\tab é", max_size=40)
SIGNS = st.sampled_from(Sign)
ROWS = st.lists(st.tuples(ANYTHING, ANYTHING), min_size=1, max_size=3).map(tuple)
PARTS = st.one_of(
    st.builds(Text, ANYTHING),
    st.builds(Note, ANYTHING, st.sampled_from(Tone)),
    st.builds(Fields, ROWS),
    st.builds(Table, st.tuples(ANYTHING, ANYTHING), ROWS, st.none() | st.integers(0, 9)),
    st.builds(Code, ANYTHING, ANYTHING, ANYTHING),
    st.builds(Diff, ANYTHING, st.lists(st.tuples(SIGNS, ANYTHING), max_size=3).map(tuple)),
    st.builds(Progress, st.integers(0, 9), st.integers(0, 9), ANYTHING),
    st.builds(lambda label: Buttons((Button(label, "undo x", id="1"),)), ANYTHING),
)


def drawn(reply: Reply, width: int) -> str:
    paper = Paper(width)
    paper.board.open("r1", reply.headline)
    try:
        paper.board.say("r1", reply).send(None)  # it waits for nothing
    except StopIteration:
        return paper.text
    raise AssertionError("a board has nothing to wait for")


@given(ANYTHING, st.lists(PARTS, max_size=4).map(tuple), st.sampled_from([20, 60, 100]))
def test_no_escape_control_or_bidi_character_is_ever_printed(text: str, parts: tuple[Part, ...], width: int) -> None:
    printed = drawn(Reply(text, Tone.BAD, parts, text), width)

    assert not [c for c in printed if not (c == "\n" or c == "\u00a0" or c.isprintable())]


@given(PARTS, st.sampled_from([20, 60, 100]))
def test_no_line_is_wider_than_the_terminal_or_ends_in_blanks(part: Part, width: int) -> None:
    printed = drawn(a_reply(part), width)

    for line in printed.splitlines():
        assert line == line.rstrip()
        assert len(line) <= width


@pytest.mark.parametrize(
    "part",
    [
        Text("[red]x[/red] :smile:"),
        Note("[red]x[/red] :smile:"),
        Fields((("[red]x[/red] :smile:", "[/]"),)),
        Table(("[red]x[/red] :smile:",), (("[/]",),)),
        Code("[red]x[/red] :smile:", "[/]", "[b]"),
        Diff("[red]x[/red] :smile:", ((Sign.NEW, "[/]"),)),
        Progress(1, 2, "[red]x[/red] :smile:"),
        Buttons((Button("[red]x[/red] :smile:", "x", id="1"),)),
    ],
    ids=lambda part: type(part).__name__,
)
async def test_no_markup_is_honoured(part: Part) -> None:
    assert "[red]x[/red] :smile:" in await shown(a_reply(part))


@given(st.text(min_size=1, max_size=200))
def test_no_word_of_a_cell_is_lost_however_narrow_it_is(text: str) -> None:
    printed = drawn(Reply("", parts=(Table(("A",), ((text,),)),)), 20)

    assert "".join(printed.split()).removeprefix("A") == "".join(readable(text).split())
