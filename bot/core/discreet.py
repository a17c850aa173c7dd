"""A writer that repeats no secret: what the API server says to a write may quote the object that was written."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

from bot.core.cluster import Stamp, Writer, Written
from bot.core.errors import SteersmanError
from bot.core.masking import secrets_in, without
from bot.core.plan import ClusterWrite, Json, ObjectRef


class DiscreetWriter:
    """A `Writer` in front of another, for one object: refusals and warnings come without the values of its secrets.

    They are known from the object as it was read, and from what is written.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._known: frozenset[str] = frozenset()

    async def read(self, target: ObjectRef) -> Json:
        manifest = await self._writer.read(target)
        self._known |= secrets_in(manifest)
        return manifest

    async def send(self, write: ClusterWrite, *, resource_version: str, stamp: Stamp | None, dry_run: bool) -> Written:
        try:
            written = await self._writer.send(write, resource_version=resource_version, stamp=stamp, dry_run=dry_run)
        except SteersmanError as error:
            known = await self._secrets(write)
            raise discreet(error, known) from None  # its cause would say it all again in a traceback
        if not written.warnings:
            return written
        known = await self._secrets(write)
        return replace(written, warnings=tuple(without(warning, known) for warning in written.warnings))

    async def _secrets(self, write: ClusterWrite) -> frozenset[str]:
        if write.target.subresource:  # a Scale tells nothing of the object that it is of
            with suppress(SteersmanError):
                await self.read(replace(write.target, subresource=""))
        return self._known | secrets_in(write.body)


def discreet(error: SteersmanError, secrets: Collection[str]) -> SteersmanError:
    """The same error, its words without these values."""
    error.message, error.hint = without(error.message, secrets), without(error.hint, secrets)
    error.args = (error.message,)
    return error
