"""The guided tour: steps that Enter alone completes. Anything else that is typed runs instead; the tour waits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stop:
    """One step: why, and the line that Enter runs. `by` is who speaks it."""

    why: str
    line: str
    by: str = "alice"


TOUR = (
    Stop("What runs here?", "/k8s"),
    Stop("Ship a version. You see the exact change first, as the API server says it.", "/k8s deploy myapp v2"),
    Stop("One app, on one card.", "/k8s myapp"),
    Stop("Break it: this image cannot be pulled.", "/k8s deploy myapp v-bad"),
    Stop("Take it back, to the last version that worked.", "click Undo"),
    Stop("What happened, by revision.", "/k8s rollout history myapp"),
    Stop("Now production. alice may only look there.", "/k8s deploy myapp v2 to prod"),
    Stop("bob is an SRE, so he may.", "/k8s deploy myapp v2 to prod", by="bob"),
    Stop("Who runs what, where?", "/k8s versions myapp", by="bob"),
)
END = "The tour ends here. Try `help`, `logs myapp`, `scale myapp 5`, `deploy myapp v-crash`, or `quit`."
