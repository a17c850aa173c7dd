"""Whether a write has arrived at its object: what the object itself says, by the id of the action that signed it."""

from bot.core.cluster import Stamp
from bot.core.diff import ACTION_ANNOTATION
from bot.core.errors import Stale
from bot.core.plan import ClusterWrite, Json, ObjectRef, PatchType, Verb, pick


class Overtaken(Stale):
    """Somebody wrote to the object after the process had died that was to write: nobody can tell what it had done."""

    def __init__(self, target: ObjectRef) -> None:
        super().__init__(
            f"{target} was changed again before I could see whether this had been written.",
            hint="I was restarted in the middle. `status` tells how it stands; run it again if it is still wanted.",
        )


def arrived(write: ClusterWrite, manifest: Json | None, stamp: Stamp) -> bool:
    """Whether a write is on its object; where no id can ride on it, whether the object is as the write wants it."""
    if write.verb is Verb.DELETE:
        return manifest is None
    if write.target.subresource == "scale" and write.patch_type is PatchType.MERGE:
        return pick(manifest, "spec.replicas") == pick(write.body, "spec.replicas")
    return signature(manifest) == stamp.action


def signature(manifest: Json | None) -> str:
    """The id of the action of ours that wrote to an object last; "" for none."""
    return str(pick(manifest, f'metadata.annotations."{ACTION_ANNOTATION}"') or "")


def signed(write: ClusterWrite) -> bool:
    """Whether the action's id rides on the object, so that an object without it says that nothing happened."""
    return not write.target.subresource and write.verb not in (Verb.DELETE, Verb.EVICT)
