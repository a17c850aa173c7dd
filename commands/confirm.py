"""`confirm` and `cancel`: what the requester says about an action that waits for them."""

from bot.core.command import Decision, DecisionArgs, Verdict


class ConfirmArgs(DecisionArgs):
    """Carry out a change of yours that waits for your confirmation."""


class CancelArgs(DecisionArgs):
    """Drop a change of yours that waits; nothing is written."""


confirm = Decision("confirm", ConfirmArgs, ("confirm 7k2m4q",), Verdict.CONFIRM)
cancel = Decision("cancel", CancelArgs, ("cancel 7k2m4q",), Verdict.CANCEL)
