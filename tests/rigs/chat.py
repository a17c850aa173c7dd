"""The front door for tests: `await bot.says("deploy myapp v2", by="alice")`. Everything is real but the terminal."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.core.pipeline import Pipeline
from bot.core.reply import Button, Code, Diff, Fields, Note, Progress, Reply, Sign, Table, Text
from bot.core.request import Request


@dataclass
class Recorder:
    """A Conversation that keeps every version of every message."""

    messages: dict[str, list[Reply]] = field(default_factory=dict)
    said: list[Reply] = field(default_factory=list)

    async def say(self, key: str, reply: Reply) -> None:
        self.messages.setdefault(key, []).append(reply)
        self.said.append(reply)


@dataclass
class Answer:
    """What came back to one line: the versions of its message, newest last."""

    versions: list[Reply]

    @property
    def reply(self) -> Reply:
        return self.versions[-1]

    @property
    def text(self) -> str:
        return as_text(self.reply)

    @property
    def all_text(self) -> str:
        return "\n".join(as_text(version) for version in self.versions)


class Bot:
    """A chat with one pipeline. Each line waits until its follow is stuck or has ended, unless told not to."""

    def __init__(self, pipeline: Pipeline, channel: str = "shop") -> None:
        self.pipeline = pipeline
        self.channel = channel
        self.recorder = Recorder()
        self._ids = itertools.count(1)

    async def says(self, text: str, *, by: str = "alice", channel: str = "", settle: bool = True) -> Answer:
        return await self._send(by, channel, settle=settle, text=text)

    async def clicks(self, label: str, *, by: str = "alice", channel: str = "", settle: bool = True) -> Answer:
        """Press the newest button with this label."""
        return await self.presses(self.button(label).id, by=by, channel=channel, settle=settle)

    async def presses(self, button: str, *, by: str = "alice", channel: str = "", settle: bool = True) -> Answer:
        """Press a button by its id, old or unknown ones too."""
        return await self._send(by, channel, settle=settle, button=button)

    def button(self, label: str) -> Button:
        for reply in reversed(self.recorder.said):
            for button in reply.buttons():
                if button.label == label:
                    return button
        raise AssertionError(f"no button {label!r} was shown")

    async def _send(self, by: str, channel: str, *, settle: bool, text: str = "", button: str = "") -> Answer:
        request = Request(f"r{next(self._ids)}", by, channel or self.channel, text, button)
        await self.pipeline.handle(request, self.recorder)
        if settle:
            await self.pipeline.settled(request.id)
        return Answer(self.recorder.messages[request.id])


def as_text(reply: Reply) -> str:
    """All the words of a reply, a line each."""
    out = [f"[{reply.tone}] {reply.place} {reply.headline}"]
    for part in reply.parts:
        match part:
            case Text(text) | Note(text):
                out.append(text)
            case Code(text, title, cut):
                out.extend(line for line in (title, text, cut) if line)
            case Fields(items):
                out.extend(f"{label}: {value}" for label, value in items)
            case Table(columns, rows):
                out.extend("  ".join(row) for row in (columns, *rows))
            case Diff(title, lines):
                out.append(title)
                out.extend(f"{sign} {line}" if sign is not Sign.SAME else line for sign, line in lines)
            case Progress(done, total, text):
                out.append(f"{done}/{total} {text}")
            case _:
                out.append(" ".join(f"[{button.label}]" for button in reply.buttons()))
    return "\n".join(out)


def counter(prefix: str) -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers)}"


def labels(buttons: Sequence[Button]) -> list[str]:
    return [button.label for button in buttons]
