"""`whoami`: who a person is here, and as whom the clusters see them."""

from typing import assert_never

from bot.core.args import Args
from bot.core.command import Action, Context, query
from bot.core.people import Identity, Impersonated, KubeconfigUser
from bot.core.plan import Place
from bot.core.reply import Note, Reply, Table, fields


class WhoamiArgs(Args):
    """Show who you are here, your roles, and your Kubernetes user on each cluster."""


@query("whoami", examples=("whoami",))
async def whoami(ctx: Context, args: WhoamiArgs) -> Reply:
    roles = "\n".join(f"{role}: {where}" for role, where in ctx.permissions.roles())
    facts = fields(
        [("You", f"@{ctx.actor.name} ({ctx.actor.id})"), ("Policy", ctx.permissions.policy_name), ("Roles", roles)]
    )
    rows = tuple((cluster, *_words(identity), _changes(ctx, cluster)) for cluster, identity in ctx.identities)
    if not rows:
        return Reply(f"You are @{ctx.actor.name}, and may see no cluster.", parts=(facts,), place=ctx.place.cluster)
    return Reply(
        f"You are @{ctx.actor.name}.",
        parts=(
            facts,
            Table(("Cluster", "As user", "With groups", "You may change"), rows),
            Note("What the cluster itself permits that user counts as well: the narrower of the two decides."),
        ),
        place=", ".join(cluster for cluster, _ in ctx.identities),
    )


def _words(identity: Identity) -> tuple[str, str]:
    match identity:
        case Impersonated():
            spoken_for = [value for values in identity.extra.values() for value in values]
            user = f"{identity.user}, for {', '.join(spoken_for)}" if spoken_for else identity.user
            return user, ", ".join(identity.groups) or "none"
        case KubeconfigUser():
            return str(identity), "as the cluster knows them"
        case _:
            assert_never(identity)


def _changes(ctx: Context, cluster: str) -> str:
    """The changing commands that the policy grants somewhere on a cluster."""
    allowed = [
        command.name
        for command in ctx.registry
        if isinstance(command, Action) and ctx.permissions.ruling(command, Place(cluster, "")).allowed
    ]
    return ", ".join(allowed) or "nothing"
