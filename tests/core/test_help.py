import pytest
from rigs.grammar_commands import sample_registry

import commands
from bot.core.command import Query, Registry
from bot.core.grammar import Grammar
from bot.core.help import EXPLAINING, command_help, overview
from bot.core.reply import Code, Note, Reply, Table, Tone
from bot.core.usage import parameters, summary, usage


@pytest.fixture(scope="module")
def sample() -> Registry:
    return sample_registry()


@pytest.fixture(scope="module")
def real() -> Registry:
    return Registry.of(commands)


def _rows(reply: Reply) -> dict[str, str]:
    return {row[0]: row[1] for part in reply.parts if isinstance(part, Table) for row in part.rows}


class TestOverview:
    def test_lists_every_command_once_with_its_summary(self, real: Registry) -> None:
        listed = [row for part in overview(real).parts if isinstance(part, Table) for row in part.rows]

        assert len(listed) == len(list(real))
        for command in real:
            assert any(row[0].startswith(command.name) and row[1] == summary(command) for row in listed)

    def test_groups_by_what_people_do(self, sample: Registry) -> None:
        tables = {part.columns[0]: part for part in overview(sample).parts if isinstance(part, Table)}

        assert [row[0] for row in tables["Ship"].rows] == [
            "deploy <app> [version]", "label <name> <labels…>", "rollout undo <app>", "scale <app> <replicas>"
        ]  # fmt: skip
        assert ("nodes", "List the nodes.") in tables["Look"].rows
        assert ("help [command…]", "Explain.") in tables["Explain"].rows

    def test_knows_only_explaining_queries_that_exist(self, real: Registry) -> None:
        for name in EXPLAINING:
            assert isinstance(real.find(name), Query), f"{name} is no query"

    def test_says_the_slash_command_as_it_is_called(self, sample: Registry) -> None:
        notes = [part.text for part in overview(sample, "/ops").parts if isinstance(part, Note)]

        assert any("`/ops help scale`" in note for note in notes)


class TestOneCommand:
    def test_shows_usage_arguments_options_and_examples(self, sample: Registry) -> None:
        reply = command_help(sample, "scale")

        assert reply.headline == "Change the number of replicas."
        assert reply.parts[0] == Code("/k8s scale <app> <replicas> [--current <n>] [in <place>]")
        assert _rows(reply)["replicas"] == "how many"
        assert _rows(reply)["--current"] == "refuse unless it is this now"
        assert _rows(reply)["--namespace, -n"] == "the namespace"
        assert Code("/k8s scale myapp", "For example") in reply.parts

    def test_names_the_choices(self, sample: Registry) -> None:
        assert _rows(command_help(sample, "top"))["what"] == "of what; one of pods, nodes"

    def test_names_the_aliases_and_is_found_by_them(self, sample: Registry) -> None:
        assert command_help(sample, "Ship") == command_help(sample, "deploy")
        assert Note("Also called `ship`.") in command_help(sample, "deploy").parts

    def test_makes_buttons_of_examples_that_only_look(self, sample: Registry) -> None:
        assert [button.line for button in command_help(sample, "logs").buttons()] == ["logs myapp"]
        assert command_help(sample, "scale").buttons() == ()

    def test_of_a_first_word_lists_how_it_goes_on(self, sample: Registry) -> None:
        reply = command_help(sample, "rollout")

        assert set(_rows(reply)) == {"rollout undo <app>", "rollout status <app>"}

    def test_of_an_unknown_word_offers_the_nearest(self, sample: Registry) -> None:
        reply = command_help(sample, "sacle")

        assert (reply.headline, reply.tone) == ("There is no command `sacle`. Did you mean `scale`?", Tone.BAD)
        assert [button.line for button in reply.buttons()] == ["help scale"]

    def test_of_a_misspelt_first_word_offers_the_first_word(self, sample: Registry) -> None:
        assert [button.line for button in command_help(sample, "rolout").buttons()] == ["help rollout"]

    def test_of_a_word_like_nothing_lists_all(self, sample: Registry) -> None:
        assert command_help(sample, "zzz").parts == overview(sample).parts


class TestRealCommands:
    def test_say_in_one_sentence_what_they_do(self, real: Registry) -> None:
        for command in real:
            assert summary(command).endswith("."), command.name
            assert len(summary(command)) <= 100, command.name

    def test_explain_each_argument(self, real: Registry) -> None:
        for command in real:
            for parameter in parameters(command.args):
                assert parameter.help, f"{command.name} {parameter.name}"

    def test_have_examples_whose_usage_fits_a_line(self, real: Registry) -> None:
        for command in real:
            assert command.examples, command.name
            assert len(usage(command)) <= 200, command.name

    def test_have_help_buttons_that_run(self, real: Registry) -> None:
        grammar = Grammar(real)
        for command in real:
            for button in command_help(real, command.name).buttons():
                grammar.parse(button.line)
