"""`help`: the commands, or one of them, in the words of the commands themselves."""

from typing import Annotated

from bot.core.args import Arg, Args
from bot.core.command import Context, query
from bot.core.help import command_help, overview
from bot.core.reply import Reply


class HelpArgs(Args):
    """List the commands, or explain one."""

    command: Annotated[tuple[str, ...], Arg(help="a command, such as deploy or rollout undo", metavar="command")] = ()


@query("help", examples=("help", "help deploy", "help rollout undo"), aliases=("?",))
async def explain(ctx: Context, args: HelpArgs) -> Reply:
    if not args.command:
        return overview(ctx.registry, ctx.prefix)
    return command_help(ctx.registry, " ".join(args.command), ctx.prefix)
