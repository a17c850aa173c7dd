from collections.abc import Callable
from datetime import timedelta

import pytest
from rigs.grammar_commands import (
    DeployArgs,
    LabelArgs,
    LogsArgs,
    ScaleArgs,
    Size,
    TopArgs,
    UndoArgs,
    sample_registry,
)

from bot.core.args import AppRef, Args, Where
from bot.core.command import Query, Registry
from bot.core.errors import HelpWanted, UsageError
from bot.core.grammar import Grammar, Parsed
from bot.core.workload import Kind


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar(sample_registry())


@pytest.fixture(scope="module")
def refusal(grammar: Grammar) -> Callable[[str], UsageError]:
    def refused(line: str) -> UsageError:
        with pytest.raises(UsageError) as caught:
            grammar.parse(line)
        return caught.value

    return refused


class TestCommand:
    def test_is_found_by_its_alias_and_said_by_its_name(self, grammar: Grammar) -> None:
        assert grammar.parse("ship myapp v2").line == "deploy myapp v2"

    def test_of_two_words_wins_over_the_first_alone(self, grammar: Grammar) -> None:
        assert grammar.parse("rollout status myapp").command.name == "rollout status"

    def test_is_the_list_of_apps_when_nothing_is_said(self, grammar: Grammar) -> None:
        assert grammar.parse("").command.name == "apps"

    def test_is_the_card_when_a_single_unknown_word_may_be_an_app(self, grammar: Grammar) -> None:
        parsed = grammar.parse("myapp in shop")

        assert (parsed.line, parsed.guessed, parsed.where.words) == ("app myapp", True, ("shop",))

    def test_that_was_named_is_no_guess(self, grammar: Grammar) -> None:
        assert not grammar.parse("app myapp").guessed

    def test_that_is_misspelt_is_offered_with_the_line_that_would_run(
        self, refusal: Callable[[str], UsageError]
    ) -> None:
        error = refusal("sacle myapp 5 in shop")

        assert error.message == "There is no command `sacle`. Did you mean `scale`?"
        assert [choice.line for choice in error.choices] == ["scale myapp 5 in shop"]

    def test_that_would_not_run_either_is_no_choice(self, refusal: Callable[[str], UsageError]) -> None:
        error = refusal("sacle myapp lots")

        assert (error.suggestions, error.choices) == (("scale",), ())

    def test_behind_the_app_is_put_first(self, refusal: Callable[[str], UsageError]) -> None:
        error = refusal("myapp rollout status on prod")

        assert error.message == "The command comes first: `rollout status`, then `myapp`."
        assert [choice.line for choice in error.choices] == ["rollout status myapp in prod"]

    def test_of_two_words_with_a_wrong_second_names_the_right_ones(self, refusal: Callable[[str], UsageError]) -> None:
        error = refusal("rollout staus myapp")

        assert error.message == "`rollout` goes on with `status` or `undo`, not with `staus`."
        assert [choice.line for choice in error.choices] == ["rollout status myapp"]

    def test_of_two_words_may_be_misspelt_in_the_first(self, refusal: Callable[[str], UsageError]) -> None:
        assert [choice.line for choice in refusal("rolout status myapp").choices] == ["rollout status myapp"]

    def test_that_nothing_resembles_points_to_help(self, refusal: Callable[[str], UsageError]) -> None:
        error = refusal("xyzzy quux 12")

        assert (error.message, error.suggestions) == ("There is no command `xyzzy`.", ())
        assert error.hint == "`/k8s help` lists the commands."

    def test_guessed_wrongly_is_answered_with_commands_and_apps(self, grammar: Grammar) -> None:
        error = grammar.unknown("lgos", ["logstash", "shop"])

        assert error.message.startswith("There is no command or app `lgos`. Did you mean `logs`")

    def test_guessed_wrongly_offers_the_card_of_the_app_that_was_meant(self, grammar: Grammar) -> None:
        assert [choice.line for choice in grammar.unknown("myap", ["myapp"]).choices] == ["app myapp"]

    def test_quoted_is_no_command(self, grammar: Grammar, refusal: Callable[[str], UsageError]) -> None:
        assert grammar.parse('"rollout"').line == "app rollout"
        assert refusal('"deploy" myapp v2').message.startswith("There is no command `deploy`")

    def test_with_two_options_of_one_name_stops_the_start(self) -> None:
        class Twice(UndoArgs):
            """Say it twice."""

            to: int = 0

        twice = next(each for each in sample_registry() if each.name == "app")
        assert isinstance(twice, Query)

        with pytest.raises(ValueError, match="two options of `app` are called `--to`"):
            Grammar(Registry([Query("app", Twice, (), (), (), twice.run)]))


class TestArguments:
    def test_are_typed(self, grammar: Grammar) -> None:
        args = grammar.parse("scale sts/db 5 --current 3").args

        assert args == ScaleArgs(app=AppRef("db", Kind.STATEFUL_SET), replicas=5, current=3)

    def test_that_are_optional_may_be_left_out(self, grammar: Grammar) -> None:
        assert grammar.parse("deploy myapp").args == DeployArgs(app=AppRef("myapp"))

    def test_may_be_durations_and_flags(self, grammar: Grammar) -> None:
        parsed = grammar.parse("logs myapp --since 1h30m -p")

        assert parsed.args == LogsArgs(app=AppRef("myapp"), since=timedelta(minutes=90), previous=True)
        assert parsed.line == "logs myapp --since 1h30m --previous"

    def test_may_be_closed_choices(self, grammar: Grammar) -> None:
        assert grammar.parse("top nodes --size large").args == TopArgs(what="nodes", size=Size.LARGE)

    def test_may_be_many(self, grammar: Grammar) -> None:
        parsed = grammar.parse("label web a=1 b=2 -o me -o you --why 'so it is'")

        assert parsed.args == LabelArgs(name="web", labels=("a=1", "b=2"), owner=("me", "you"), why="so it is")
        assert parsed.line == 'label web a=1 b=2 --owner me --owner you --why "so it is"'

    def test_behind_two_dashes_are_words(self, grammar: Grammar) -> None:
        assert grammar.parse("label web --why so -- in -x").args == LabelArgs(name="web", labels=("in", "-x"), why="so")

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("scale", "`scale` needs `<app>` and `<replicas>`."),
            ("scale myapp", "`scale` needs `<replicas>`."),
            ("label web a=1", "`label` needs `--why`."),
            ("label web --why so", "`label` needs `<labels>`."),
            ("scale myapp 5 6", "`scale` takes <app> <replicas>: `6` cannot stand there."),
            ("nodes a b", "`nodes` takes nothing more: `a` and `b` cannot stand there."),
            ("scale myapp five", "`five` does not fit <replicas>: it must be a whole number."),
            ("scale myapp 1.5", "`1.5` does not fit <replicas>: it must be a whole number."),
            ("scale myapp -3", "`-3` does not fit <replicas>: it must be from 0 to 1000."),
            ("scale myapp to -3", "`-3` does not fit <replicas>: it must be from 0 to 1000."),
            ("scale myapp 1001", "`1001` does not fit <replicas>: it must be from 0 to 1000."),
            ("scale myapp 5 --current -1", "`-1` does not fit --current: it must be 0 or more."),
            ("scale myapp 5 --current", "`--current` needs a value."),
            ("scale myapp 5 --current --cluster prod", "`--current` needs a value."),
            ('deploy myapp v2 --reason ""', "`--reason` cannot be empty."),
            ("deploy myapp v2 --reason=", "`--reason` cannot be empty."),
            ('deploy myapp ""', "`<version>` cannot be empty."),
            ('deploy "" v2', "`<app>` cannot be empty."),
            ('deploy myapp -n ""', "`--namespace` cannot be empty."),
            ("deploy myapp v2 -c a -c b", "`--container` is said twice."),
            ("logs myapp -p -p", "`--previous` is said twice."),
            ("logs myapp --previous=yes", "`--previous` is a switch and takes no value."),
            ("logs myapp --since 5", "`5` does not fit --since: it must be a time such as 30s, 15m, 2h or 1d."),
            ("logs myapp --since -5m", "`-5m` does not fit --since: it must be more than nothing."),
            ("top pots", "`pots` does not fit <what>: it must be `pods` or `nodes`."),
            (
                "deploy x/y v2",
                "`x/y` does not fit <app>: it must be an app, or a workload as deploy/web, sts/db, ds/agent.",
            ),
            (
                "label web a=1 --why so -o Me",
                "`Me` does not fit --owner: it must be lower-case letters, digits and dashes",
            ),
            ("deploy myapp --contaner web", "`deploy` has no option `--contaner`. Did you mean `--container`?"),
            ("deploy myapp -z", "`deploy` has no option `-z`."),
        ],
    )
    def test_that_are_wrong_get_one_sentence(
        self, refusal: Callable[[str], UsageError], line: str, message: str
    ) -> None:
        error = refusal(line)

        assert error.message.startswith(message)
        assert error.usage.startswith(f"/k8s {line.split()[0]} ")

    def test_that_resemble_a_choice_bring_it(self, refusal: Callable[[str], UsageError]) -> None:
        error = refusal("top pots")

        assert (error.hint, error.suggestions) == ("Did you mean `pods`?", ("pods",))

    def test_with_a_misspelt_option_are_offered_with_the_right_one(self, refusal: Callable[[str], UsageError]) -> None:
        error = refusal("deploy myapp v2 --contaner=web to prod")

        assert [choice.line for choice in error.choices] == ["deploy myapp v2 --container web in prod"]

    def test_of_several_words_want_quotes(self, refusal: Callable[[str], UsageError]) -> None:
        error = refusal("deploy myapp v2 --reason fix the cart")

        assert error.message == "`deploy` takes <app> [version]: `the` and `cart` cannot stand there."
        assert error.hint == "A text of several words stands in double quotes."

    def test_with_hundreds_of_wrong_options_are_refused_as_any_other(
        self, refusal: Callable[[str], UsageError]
    ) -> None:
        error = refusal("deploy myapp " + " ".join(f"--contane{at}" for at in range(280)))

        assert error.message == "`deploy` has no option `--contane0`. Did you mean `--container`?"
        assert error.choices == ()

    def test_never_shout_a_whole_paste_back(self, refusal: Callable[[str], UsageError]) -> None:
        assert len(refusal(f"scale myapp {'9' * 3000}").message) < 200


class TestPlace:
    def test_may_be_said_anywhere_among_the_words(self, grammar: Grammar) -> None:
        lines = (
            "deploy myapp v2 to prod",
            "deploy to prod myapp v2",
            "deploy myapp to prod v2",
            "deploy myapp@prod v2",
        )

        assert {grammar.parse(line).where for line in lines} == {Where(words=("prod",))}

    def test_is_never_taken_from_the_value_of_an_option(self, grammar: Grammar) -> None:
        parsed = grammar.parse("deploy myapp v2 --reason in --container to")

        assert parsed.args == DeployArgs(app=AppRef("myapp"), version="v2", reason="in", container="to")

    def test_of_options(self, grammar: Grammar) -> None:
        assert grammar.parse("apps --context prod -n shop").where == Where("prod", "shop")

    def test_may_be_everywhere(self, grammar: Grammar) -> None:
        assert grammar.parse("apps -A on prod").where == Where(words=("prod",), everywhere=True)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("deploy myapp v2 to", "`to` says no place."),
            ("deploy myapp v2 to prod to dev in shop", "The place is said several times: `prod`, `dev` and `shop`."),
            ("apps -n shop --cluster prod in other", "The place is said several times: `prod`, `shop` and `other`."),
            ("apps in prod/shop in other", "The place is said several times: `prod/shop` and `other`."),
            ("nodes on prod on dev", "The place is said several times: `prod` and `dev`."),
            ("nodes in prod/shop", "`prod/shop` names a namespace, and this is about a whole cluster."),
            ("nodes -n shop", "`nodes` has no `-n`: it takes no namespace."),
            ("deploy myapp -A", "`deploy` has no `-A`: it is about one place at a time."),
            ("help in shop", "This command takes no place, and `shop` is said."),
            ("help --cluster prod", "`help` has no `--cluster`: it takes no place."),
            ("apps -A -n shop", "`-A` means all namespaces, and `shop` is one of them."),
            ("apps -n Shop", "`Shop` is no place: it must be lower-case letters"),
            ("apps in _", "`_` is no place"),
            ("apps -n a -n a", "`--namespace` is said twice."),
        ],
    )
    def test_that_cannot_be_one_place_is_refused(
        self, refusal: Callable[[str], UsageError], line: str, message: str
    ) -> None:
        assert refusal(line).message.startswith(message)

    def test_may_be_a_context_with_slashes_and_colons(self, grammar: Grammar) -> None:
        arn = "arn:aws:eks:eu-central-1:1:cluster/prod"

        assert grammar.parse(f"apps on {arn} in shop").where == Where(words=(arn, "shop"))


class TestLineWithItsPlace:
    @pytest.mark.parametrize(
        ("line", "namespace", "expected"),
        [
            ("deploy myapp v2 to prod", "shop", "deploy myapp v2 --cluster dev -n shop"),
            ("apps", "", "apps --cluster dev -A"),
            ("apps in shop", "shop", "apps --cluster dev -n shop"),
            ("nodes on prod", "", "nodes --cluster dev"),
            ("help", "shop", "help"),
        ],
    )
    def test_reads_back_as_the_same(self, grammar: Grammar, line: str, namespace: str, expected: str) -> None:
        parsed = grammar.parse(line)

        assert parsed.line_at("dev", namespace) == expected
        assert self.without_place(grammar.parse(expected)) == self.without_place(parsed)

    def without_place(self, parsed: Parsed) -> Args:
        return parsed.args.model_copy(update={"where": Where()})


class TestHelp:
    @pytest.mark.parametrize(
        ("line", "command"),
        [
            ("scale --help", "scale"),
            ("scale -h", "scale"),
            ("scale myapp 5 --help", "scale"),
            ("rollout status --help", "rollout status"),
            ("rollout", "rollout"),
            ("rollout --help", "rollout"),
            ("sacle --help", "sacle"),
        ],
    )
    def test_is_a_wish_behind_a_command(self, grammar: Grammar, line: str, command: str) -> None:
        with pytest.raises(HelpWanted) as wish:
            grammar.parse(line)

        assert wish.value.command == command

    @pytest.mark.parametrize("line", ["help", "?", "--help", "-h"])
    def test_alone_is_a_command(self, grammar: Grammar, line: str) -> None:
        assert grammar.parse(line).line == "help"


class TestCompletion:
    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("sc", ("scale",)),
            ("/k8s sc", ("scale",)),
            ("rollout ", ("status", "undo")),
            ("rollout s", ("status",)),
            ("scale myapp --c", ("--cluster", "--context", "--current")),
            (
                "logs myapp -p -",
                ("--cluster", "--context", "--help", "--namespace", "--previous", "--since", "-h", "-n", "-p"),
            ),
            ("top ", ("nodes", "pods")),
            ("top n", ("nodes",)),
            ("top pods --size ", ("large", "small")),
            ("top pods ", ()),
            ("help rollout ", ("status", "undo")),
            ('deploy "never closed', ()),
            ("xyzzy ", ()),
        ],
    )
    def test_offers_what_may_follow(self, grammar: Grammar, typed: str, words: tuple[str, ...]) -> None:
        assert grammar.complete(typed) == words

    def test_begins_with_every_command(self, grammar: Grammar) -> None:
        assert set(grammar.complete("")) == {name.split()[0] for name in grammar.registry.names}
