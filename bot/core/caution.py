"""What a person should know before a workload is changed, as notes beside the plan; pure, and forbidding nothing.

Who else has a say, what will wait, what takes away more than one would think, what looks like a slip.
"""

from bot.core.diff import changes
from bot.core.image import Image, older
from bot.core.pin import is_restart
from bot.core.plan import pick
from bot.core.reply import Note, Tone
from bot.core.revisions import template
from bot.core.workload import Autoscaler, Kind, Revision, Workload

_LAST_APPLIED = 'metadata.annotations."kubectl.kubernetes.io/last-applied-configuration"'


def owned(workload: Workload) -> tuple[Note, ...]:
    """Argo CD, Flux or Helm manage it: who, and what will happen to this change."""
    owner = workload.owner
    if owner is None:
        return ()
    who = f"{owner.tool} (`{owner.name}`) owns {workload.label}"
    if owner.gitops:
        return (Note(f"{who} and will put back what its Git says. Change it there to keep it.", Tone.WARN),)
    return (Note(f"{who}: its next upgrade may put this back. Change its values to keep it.", Tone.WARN),)


def held(workload: Workload, prefix: str) -> tuple[Note, ...]:
    """Why a new pod template would not reach all pods by itself. `prefix` is the slash command."""
    label, strategy = workload.label, workload.strategy
    notes = []
    if workload.paused:
        notes.append(f"{label} is paused: nothing rolls out until `{prefix} rollout resume {label}`.")
    if workload.kind is not Kind.DEPLOYMENT and strategy.type == "OnDelete":
        notes.append(f"{label} has the strategy OnDelete: a pod changes when somebody deletes it, not before.")
    if workload.kind is Kind.STATEFUL_SET and strategy.type != "OnDelete" and strategy.partition > 0:
        notes.append(f"{label} has the partition {strategy.partition}: only pods from that ordinal on will change.")
    if workload.replicas == 0 and workload.kind is not Kind.DAEMON_SET:
        notes.append(f"{label} is scaled to 0: no pod will start.")
    return tuple(Note(text, Tone.WARN) for text in notes)


def deployed(running: str, image: Image) -> tuple[Note, ...]:
    """What looks like a slip in a new image: an older version, another repository, a tag that says nothing."""
    notes = []
    try:
        before = Image.parse(running)
    except ValueError:
        before = image
    if not image.same_repository(before):
        notes.append(f"The image changes from `{before.repository}` to `{image.repository}`.")
    elif older(image.version, before.version):
        notes.append(f"{image.version} is older than {before.version}, which runs now.")
    if not image.pinned:
        notes.append(f"`{image}` may mean another content tomorrow: a version or a digest would not.")
    return tuple(Note(text, Tone.WARN) for text in notes)


def autoscaled(workload: Workload, scaler: Autoscaler, replicas: int, now: int) -> tuple[Note, ...]:
    """An HPA owns the replicas: what becomes of the wanted number. At 0 an HPA stands still (Kubernetes' own rule)."""
    who = f"The autoscaler `{scaler.name}` owns the replicas of {workload.label} ({scaler.minimum} to {scaler.maximum})"
    if replicas == 0:
        will = "at 0 it is switched off until somebody scales up again"
    elif not scaler.minimum <= replicas <= scaler.maximum:
        will = f"it will set {scaler.minimum if replicas < scaler.minimum else scaler.maximum} again within a minute"
    else:
        will = "it may change this again as the load asks"
    again = " It was switched off at 0 and works again from now on." if now == 0 else ""
    return (Note(f"{who}: {will}.{again}", Tone.WARN),)


def scaled_down(workload: Workload, replicas: int, now: int) -> tuple[Note, ...]:
    """What fewer pods take away: all service, or the volumes of a StatefulSet that deletes them."""
    notes = []
    if replicas == 0:
        notes.append(f"At 0 replicas {workload.label} serves nothing.")
    if replicas < now and deletes_volumes(workload):
        notes.append(f"{workload.label} deletes the volumes of the pods it loses, with their data.")
    return tuple(Note(text, Tone.WARN) for text in notes)


def deletes_volumes(workload: Workload) -> bool:
    """Whether a StatefulSet's claims go when it is scaled down (`persistentVolumeClaimRetentionPolicy`)."""
    return pick(workload.manifest, "spec.persistentVolumeClaimRetentionPolicy.whenScaled") == "Delete"


def undone(workload: Workload, to: Revision, prefix: str) -> tuple[Note, ...]:
    """Who may bring back what an undo takes away, and what it does not heal (kubectl 1.37 warns of the first too)."""
    notes = []
    now, then = pick(workload.manifest, "spec.template"), template(workload.kind, to)
    if is_restart(changes({"spec": {"template": now}}, {"spec": {"template": then}})):
        history = f"`{prefix} rollout history {workload.label}` has older ones"
        notes.append(f"Only the restart of {workload.label} is taken back, the version stays: {history}.")
    if pick(workload.manifest, _LAST_APPLIED) is not None:
        notes.append(f"{workload.label} was made by `kubectl apply`: the next apply may bring back what is undone.")
    if (
        workload.kind is Kind.STATEFUL_SET
        and workload.status.ready < workload.replicas
        and pick(workload.manifest, "spec.podManagementPolicy") != "Parallel"
    ):
        notes.append(f"A pod of {workload.label} is not ready. If it stays so after the undo, it has to be deleted.")
    return (*owned(workload), *held(workload, prefix), *(Note(text) for text in notes))
