"""A primary that went back in time, or is another one: what td says, and what one types."""

from pathlib import Path

from sqld import Server
from tests.cli.program import Program
from tests.replica.backups import back_up, restore


def lose(program: Program, server: Server, backup: Path) -> str:
    """Make the primary lose a change that it had acknowledged; the id of its issue."""
    issue_id = program.create("Oat milk")
    program.done("sync")
    back_up(server, backup)
    program.done("update", issue_id, "--title", "Soy milk")
    program.done("sync")
    restore(server, backup)
    return issue_id


def test_what_the_primary_lost_is_told_listed_and_sent_again(
    laptop: Program, primary_server: Server, tmp_path: Path
) -> None:
    """One line says what happened, what is safe and what to type."""
    issue_id = lose(laptop, primary_server, tmp_path / "backup")

    noticed = laptop.done("sync")

    assert noticed.err == (
        "the primary was restored from an older copy and lost 1 change it had; it is kept here: "
        "td sync lost shows it, td sync --resend-lost sends it again\n"
    )
    assert laptop.done("sync", "status", "--json").document()["lost"] == 1
    (lost,) = laptop.done("sync", "lost", "--json").document()
    assert lost["changes"][0]["fields"] == {"title": {"before": "Oat milk", "new": "Soy milk"}}
    assert f"update  issues  {issue_id}  title" in laptop.done("sync", "lost").out
    assert "is kept here: td sync lost" in laptop.done("sync").err
    laptop.done("update", issue_id, "-p", "P0")
    resent = laptop.done("sync", "--resend-lost")
    assert resent.out == "SYNCED: 2 pushed (1 merged), 0 pulled, 0 pending\n"
    assert resent.err == "1 change that the primary had lost was queued again\n"
    shown = laptop.done("show", issue_id, "--json").document()
    assert (shown["title"], shown["priority"], shown["pending"]) == ("Soy milk", "P0", False)
    assert laptop.done("sync", "lost", "--json").document() == []
    assert laptop.done("sync", "lost").err == "nothing is lost\n"


def test_a_sync_that_notices_tells_programs(laptop: Program, primary_server: Server, tmp_path: Path) -> None:
    """By a count; later ones have nothing to notice."""
    lose(laptop, primary_server, tmp_path / "backup")

    assert laptop.done("sync", "--json").document()["lost"] == 1
    assert laptop.done("sync", "--json").document()["lost"] == 0


def test_what_the_primary_lost_is_let_go_only_when_told(
    laptop: Program, primary_server: Server, tmp_path: Path
) -> None:
    """The document holds all of it, for whoever regrets it."""
    lose(laptop, primary_server, tmp_path / "backup")
    laptop.done("sync")

    document = laptop.done("sync", "lost", "--forget", "--json").document()

    assert (document["action"], document["count"], len(document["mutations"])) == ("forgotten", 1, 1)
    assert laptop.done("sync", "lost", "--forget").out == "FORGOTTEN: 0 changes that the primary lost\n"
    assert laptop.done("sync").err == ""
    assert [issue["title"] for issue in laptop.done("list", "--json").document()] == ["Oat milk"]


def test_an_option_of_the_sync_is_not_dropped_in_silence(laptop: Program) -> None:
    """Exit code 2: it was typed for something."""
    answer = laptop("sync", "--resend-lost", "status", "--json")

    assert (answer.code, answer.out, answer.error()["code"]) == (2, "", "usage")


def test_another_primary_is_adopted_only_when_told(laptop: Program, sqld_binary: Path) -> None:
    """Until then nothing is sent, and the hint is a command of td."""
    laptop.create("Oat milk")
    laptop.done("sync")
    with Server(sqld_binary) as other:
        environ = {"TD_DATABASE_URL": other.url}

        answer = laptop("sync", "--json", environ=environ)

        assert (answer.code, answer.error()["code"]) == (1, "other_primary")
        assert "td sync --adopt-primary" in answer.error()["hint"]
        adopted = laptop.done("sync", "--adopt-primary", environ=environ)
        assert adopted.err.startswith("this primary does not have 1 change that the one before had; it is kept here: ")
        laptop.done("sync", "--resend-lost", environ=environ)
        assert [issue["title"] for issue in laptop.done("list", "--json").document()] == ["Oat milk"]


def test_a_missing_copy_of_the_primary_is_told_beside_the_list(laptop: Program) -> None:
    """An empty list would be taken for the truth."""
    issue_id = laptop.create("Oat milk")
    laptop.done("sync")
    for path in (laptop.directory / ".todos").glob("replica.db*"):
        path.unlink()

    told = "what the primary has is not here yet: td sync fetches it\n"
    assert laptop.done("list").err == told + "no issues\n"
    assert laptop("show", issue_id).err.startswith(told)
    assert laptop.done("query", "SELECT * FROM issues").err == told
    assert laptop.done("list", "--json").err == ""
    laptop.done("sync")
    assert laptop.done("list").err == ""
