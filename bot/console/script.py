"""A chat from standard input: plain text, one line after the other, each run to its verdict before the next."""

from collections.abc import AsyncIterator
from typing import Final, assert_never

from bot.console.session import Become, Leave, Press, Say, Session
from bot.core.readable import one_line

_SHOWN: Final = 300  # characters of a line that are repeated before its answer


async def run_script(session: Session, lines: AsyncIterator[str], *, confirms: bool = False) -> None:
    """Run each line until `quit`, the end, or nobody reads the answers any more.

    The next line starts when the follow of the one before is stuck or has ended. `confirms`: at a terminal a write
    would be asked about now, which a script does not answer; it says so.
    """
    async for line in lines:
        if session.board.gone:
            return
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        wish = session.read(line)
        match wish:
            case Leave():
                return
            case Become(person):
                session.speaker = person
                continue
            case Press(by, word):
                said = f"click {word}"
            case Say(by, text):
                said = f"{session.speaking.prefix} {text}"
            case _:
                assert_never(wish)
        session.board.note(f"\n{one_line(by, _SHOWN)} ▸ {one_line(said, _SHOWN)}")
        key = session.new_key()
        reply = await session.send(wish, key)
        await session.settled(key)
        if confirms and session.waits(reply) is not None:
            session.board.note("  Not applied: a script confirms nothing by itself. Run it with --yes.")
