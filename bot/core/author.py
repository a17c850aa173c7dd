"""Who of us changed a workload since: its action-id annotation, looked up in the ledger. Pure but for that look."""

from datetime import datetime

from bot.core.diff import ACTION_ANNOTATION
from bot.core.errors import NotFound
from bot.core.ledger import Ledger
from bot.core.workload import Workload


async def changed_since(ledger: Ledger, workload: Workload, since: datetime) -> str:
    """A clause for people ("@bob changed it again: Deploy web v3"); "" where it was no action of ours.

    An undo by kubectl brings back the annotation of an older action, so only one that began after `since` counts.
    """
    try:
        action = await ledger.action(workload.annotations.get(ACTION_ANNOTATION, ""))
    except NotFound:
        return ""
    return f"@{action.actor.name} changed it again ({action.summary})" if action.created > since else ""
