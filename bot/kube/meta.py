"""What every object carries: the metadata that is read of it, and pages of objects."""

from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)  # stands where an object carries no time


class OwnerReference(msgspec.Struct, gc=False):
    uid: str = ""
    name: str = ""
    kind: str = ""
    controller: bool | None = None


class Meta(msgspec.Struct, rename="camel", gc=False):
    """metav1.ObjectMeta without managedFields, which weigh as much as the rest."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None

    @property
    def created(self) -> datetime:
        return self.creation_timestamp or LONG_AGO

    @property
    def controller(self) -> OwnerReference | None:
        """The one owner that controls the object (metav1.GetControllerOf)."""
        return next((owner for owner in self.owner_references or [] if owner.controller), None)


class ManagedFields(msgspec.Struct, gc=False):
    manager: str = ""
    operation: str = ""
    time: datetime | None = None
    subresource: str = ""


class ManagedMeta(Meta, rename="camel", gc=False):
    """The metadata with who wrote which part, for single objects and the few kinds that are edited."""

    managed_fields: list[ManagedFields] | None = None


class ListMeta(msgspec.Struct, rename="camel", gc=False):
    resource_version: str = ""
    next: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct, Generic[T], gc=False):
    """One page of a list. `items` is null where the server is written in Go and has none."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[T] | None = None
