"""Whatever is typed: exit code 0, 1 or 2, at most one line on stderr, nothing that steers a terminal, no traceback."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import typer
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.command_line import run
from support.every_view import harmless
from support.finished_runs import Solve
from support.odd import TEXTS, damaged, texts

from tts_ui.cli.main import app

COMMANDS: Mapping[str, typer.core.TyperCommand] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
#: Those that search, for as long as was asked, are only given what they refuse at once or answer soon.
SERVING = {"serve", "mcp"}
SEARCHING = SERVING | {"solve", "compare", "sweep", "judge", "score"}
OPTIONS = {
    name: sorted(each for parameter in command.params for each in parameter.opts if each.startswith("-"))
    for name, command in COMMANDS.items()
}

#: What passes for a value of some option, and what never does.
words = (
    st.sampled_from(
        ["0", "1", "-1", "4", "1e9", "nan", "builtin-xs", "best_of_n", "beam_search", "json", "html", "-", "--"]
    )
    | st.sampled_from([each for each in TEXTS if "\0" not in each])
    | st.text(st.characters(exclude_characters="\0"), max_size=20)
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which files with odd names may come to be."""
    folder, before = tmp_path_factory.mktemp("typed"), Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def complaint(*arguments: str) -> str:
    """What the command says on stderr; it has ended as a command may."""
    done = run(*arguments)
    assert done.code in (0, 1, 2), (done.code, arguments)
    assert "internal error" not in done.err and "Traceback" not in done.err, (arguments, done.err)
    assert harmless(done.out) and harmless(done.err), arguments
    if done.code:
        said = [line for line in done.err.splitlines() if line.strip()]
        assert len(said) == 1, (arguments, done.err)
    return done.err


@st.composite
def command_lines(draw: st.DrawFn, names: Sequence[str]) -> list[str]:
    name = draw(st.sampled_from(names))
    typed = [name]
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            typed.append(draw(st.sampled_from(OPTIONS[name])))
        if draw(st.booleans()):
            typed.append(draw(words))
    return typed


@given(typed=command_lines(sorted(set(COMMANDS) - SEARCHING)))
def test_commands_that_do_not_search(place: Path, typed: list[str]) -> None:
    complaint(*typed)


@given(typed=command_lines(sorted(SEARCHING - SERVING)), odd=words)
def test_commands_that_search_refuse_first(place: Path, typed: list[str], odd: str) -> None:
    """With an option that is none at the end, nothing is searched; before it, everything was read."""
    assume("--help" not in typed and "--" not in typed)
    complaint(*typed, f"--no-such-option={odd}")


@given(name=st.sampled_from(sorted(SEARCHING - SERVING)), odd=words, option=st.data())
def test_one_odd_value(place: Path, name: str, odd: str, option: st.DataObject) -> None:
    """Of each option, where the models file is not there: what is right is refused for that."""
    typed = option.draw(st.sampled_from(OPTIONS[name]))
    given = {"solve": ["2+2"], "compare": ["2+2", "--strategies", "greedy,best_of_n"], "sweep": [], "judge": ["x"],
             "score": ["x", "--scorer", "builtin-prm"]}[name]  # fmt: skip
    complaint(name, *given, f"{typed}={odd}", "--models", "nowhere.toml")


@given(typed=st.lists(words, max_size=4))
@example(typed=["\udcff"])
def test_no_command_at_all(typed: list[str]) -> None:
    assume(not typed or typed[0] not in COMMANDS)
    complaint(*typed)


@pytest.fixture(scope="module")
def contents(solved: Solve) -> list[bytes]:
    from engine.store.exporters import render

    done = solved("beam_search", n=4, width=2)
    return [render(format, done.record, done.events) for format in ("json", "csv", "graphml", "png")]


READS = [
    ["import"], ["score", "--scorer", "builtin-prm"], ["judge", "--scorer", "builtin-prm", "--limit", "1"],
    ["problems"], ["models", "--models"], ["sweep", "--dry-run"], ["runs", "--db"], ["show", "x", "--db"],
    ["export", "x", "--db"], ["import", "x.json", "--db"],
]  # fmt: skip


@given(data=st.data(), read=st.sampled_from(READS), name=st.sampled_from(["f", "f.json", "f.csv", "-f", "a b\n.toml"]))
def test_files(place: Path, contents: list[bytes], data: st.DataObject, read: list[str], name: str) -> None:
    file = place / "files" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data.draw(damaged(contents)))
    complaint(*read, str(file))


@given(name=texts, read=st.sampled_from(READS))
@example(name="~nobody/x", read=["problems"])
@example(name="~nobody/x", read=["runs", "--db"])
def test_files_that_are_none(place: Path, name: str, read: list[str]) -> None:
    complaint(*read, name)
