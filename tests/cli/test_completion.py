"""td completion: the scripts in the shells that they are for, and what td offers them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cli.completion import Shell
from cli.names import COMPLETION_VARIABLE
from tests.cli.in_process import done
from tests.cli.program import TD, Program
from tracker import Issue

EVIL = "x'\"`$(touch pwned)`;\\)) [bold] end"

# What completes `words` as if Tab was pressed, and prints what is offered, a line each.
_ASK = {
    Shell.BASH: """
        source ./script
        COMP_WORDS=({words}) COMP_CWORD={last}
        _td_completion td
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """,
    Shell.ZSH: """
        compdef() {{ :; }}
        _arguments() {{ print -r -- "$@"; }}
        _files() {{ :; }}
        words=({words}) CURRENT={count}
        source ./script
        _td_completion
    """,
    Shell.FISH: "source ./script; complete --do-complete '{line}'",
}


def offered(program: Program, *words: str) -> dict[str, str]:
    """What td offers a shell that shows what is offered with what it is."""
    environ = {COMPLETION_VARIABLE: "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    asking = Program(program.directory, {**environ, "_TYPER_COMPLETE_ARGS": " ".join(("td", *words))})
    lines = [line.partition("\t") for line in done(asking).out.splitlines() if line]
    return {value: told for value, _, told in lines}


def ask(program: Program, shell: Shell, *words: str) -> str:
    """What a shell offers, having read the script."""
    (program.directory / "script").write_text(done(program, "completion", shell.value).out, encoding="utf-8")
    line = " ".join(("td", *words))
    quoted = " ".join(f"'{word}'" for word in ("td", *words))
    script = _ASK[shell].format(words=quoted, last=len(words), count=len(words) + 1, line=line)
    options = {Shell.BASH: ["--norc", "--noprofile"], Shell.ZSH: ["-f"], Shell.FISH: ["--no-config"]}[shell]
    answer = subprocess.run(
        [shell.value, *options, "-c", script],
        cwd=program.directory,
        env={**program.environ, "PATH": f"{TD.parent}:{program.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert answer.stderr == ""
    return answer.stdout


INSTALLED = [shell for shell in Shell if shutil.which(shell.value)]


@pytest.mark.parametrize("shell", INSTALLED)
def test_a_shell_offers_commands_and_ids(td: Program, shell: Shell) -> None:
    """In every shell that is installed here; bash is everywhere."""
    issue_id = done(td, "create", EVIL, "--json").document()["id"]

    assert "critical-path" in ask(td, shell, "cri")
    assert issue_id in ask(td, shell, "show", "td-")
    assert not (td.directory / "pwned").exists()


@pytest.mark.parametrize("shell", Shell)
def test_every_script_asks_td(fresh: Program, shell: Shell) -> None:
    """By the variable that td looks for, and for the command td."""
    script = done(fresh, "completion", shell.value).out

    assert f"{COMPLETION_VARIABLE}=complete_{shell}" in script
    assert {"bash": "complete -o default -F", "zsh": "#compdef td", "fish": "complete --command td"}[shell] in script


def test_an_id_is_offered_with_its_title(td: Program) -> None:
    """Without any character that a shell could act on; what is closed comes last."""
    first, second = (done(td, "create", title, "--json").document()["id"] for title in (EVIL, "Oat milk"))
    done(td, "close", second)

    assert offered(td, "show", "td-") == {first: "x touch pwned bold end", second: "Oat milk"}
    assert list(offered(td, "show", "td-")) == [first, second]
    assert offered(td, "view", first[:5]) == {first: "x touch pwned bold end"}
    assert offered(td, "dep", "add", "td-") == offered(td, "show", "td-")


def test_an_id_that_a_shell_could_act_on_is_not_offered(td: Program) -> None:
    """A teammate's program may have written any text as an id."""
    with td.tracker() as tracker, tracker.replica.transaction() as tx:
        for evil in ("td-a$(touch pwned)", "td-a\n", "td-a'b"):
            tx.insert(Issue(id=evil, title="Oat milk", created_at=tracker.now()))
        tx.insert(Issue(id="td-ab", title="Soy milk", created_at=tracker.now()))

    assert offered(td, "show", "td-a") == {"td-ab": "Soy milk"}


def test_what_can_stand_there_is_offered(td: Program) -> None:
    """Names of options, and what they take."""
    note = done(td, "note", "add", "Hosts", "--json").document()["id"]

    assert {"--limit", "--status"} <= set(offered(td, "list", "--"))
    assert list(offered(td, "list", "--status", "in_")) == ["in_progress", "in_review"]
    assert list(offered(td, "update", "td-1", "-p", "P")) == ["P0", "P1", "P2", "P3", "P4"]
    assert offered(td, "note", "show", "nt-") == {note: "Hosts"}
    assert set(offered(td, "help", "conf")) == {"config", "conflicts"} == set(offered(td, "conf"))
    assert list(offered(td, "conflicts", "s")) == ["show"]


def test_where_nothing_is_initialised_nothing_is_offered(fresh: Program) -> None:
    """And nothing is said."""
    assert offered(fresh, "show", "td-") == {}
    assert offered(fresh, "nosuch", "x") == {}


def test_another_directory_is_looked_at_where_it_is_named(td: Program, tmp_path: Path) -> None:
    """As td itself would."""
    issue_id = done(td, "create", "Oat milk", "--json").document()["id"]
    elsewhere = Program(tmp_path / "elsewhere")

    assert list(offered(elsewhere, "-w", str(td.directory), "show", "td-")) == [issue_id]
    assert list(offered(elsewhere, "show", "-w", str(td.directory), "td-")) == [issue_id]


@pytest.mark.parametrize("words", [{}, {"COMP_WORDS": "td sh", "COMP_CWORD": "second"}])
def test_who_asks_as_no_shell_does_is_offered_nothing(fresh: Program, words: dict[str, str]) -> None:
    """And nothing breaks."""
    asked = fresh("init", environ={COMPLETION_VARIABLE: "complete_bash", **words})

    assert (asked.code, asked.out, asked.err) == (1, "", "")


def test_what_no_shell_says_is_no_question(fresh: Program) -> None:
    """A variable that somebody left there keeps nobody from working."""
    assert fresh.done("init", environ={COMPLETION_VARIABLE: ""}).out.startswith("INITIALISED")
