"""Command lines of td, with the environment they run in and the config they find."""

import io
import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cli.exits import EXIT_CODES
from cli.run import run
from tests.fuzz.documents import jsons
from tests.fuzz.kept import NOWHERE
from tests.fuzz.promise import answered, promised
from tests.fuzz.workbench import Workbench

# No command that runs until Ctrl-C, or starts a primary of its own; without a platform token, none asks Turso, and
# without a client id, none asks WorkOS.
_COMMANDS: Final = [
    "init", "status", "whoami", "create", "list", "show", "update", "close", "reopen", "delete", "restore", "comment",
    "history", "undo", "sync", "sync now", "sync status", "sync pending", "sync lost", "conflicts", "conflicts list",
    "conflicts show", "resolve", "config get", "config set", "config unset", "config list", "query", "doctor", "import",
    "login", "logout", "auth status", "config profiles list", "config profiles show", "config profiles create",
    "config profiles use", "config profiles delete",
    "sqld", "auth", "auth new-vault-key", "auth rotate-vault-key", "turso login", "turso logout", "turso list",
    "turso create", "turso delete", "turso token", "turso invalidate",
    "sqld init", "sqld tenant create", "sqld tenant list", "sqld tenant show", "sqld tenant rotate-key",
    "sqld tenant suspend", "sqld tenant resume", "sqld tenant delete", "sqld token mint", "sqld token list",
    "sqld token revoke", "sqld key create", "sqld key list", "sqld key revoke",
]  # fmt: skip
_OPTIONS: Final = [
    "--json", "-w", "--work-dir", "--mode", "--url", "--token-stdin", "--type", "-t",
    "--priority", "-p", "--description",
    "-d", "--label", "-l", "--status", "-s", "--all", "--deleted", "--limit", "-n", "--title", "--if-updated-at",
    "--resend-lost", "--adopt-primary", "--forget", "--mine", "--theirs", "--set", "--pending", "--db", "--repair",
    "--full", "--help", "--version", "--", "-", "--json=1", "-n5", "--limit=0", "--show-completion",
    "--key-stdin", "--passphrase-stdin", "--file", "--ca-file", "--org", "--ttl", "--read-only", "--force",
    "--state", "--tenant", "--role", "--for", "--overlap", "--yes", "--organisation", "--port", "--admin-port",
    "--public-url", "--profile", "--origin", "--change", "--auth", "--workos", "--workos-url", "--no-browser",
]  # fmt: skip
_VALUES: Final = [
    "ID", "td-", "td-zzzzzzzz", "", " ", "bug", "P0", "p4", "open", "closed,open", "+x", "-x",
    "x", "title=a", "=", "title",
    "mode", "url", "token", "ca_file", "8h",
    "local", "libsql", "turso", "remote", NOWHERE, "libsql://127.0.0.1:1", "http://", "0", "-1",
    "99999999999999999999", "1e9", "2026-11-21T05:00:00Z", "9999-12-31T23:59:59.999999Z", "now", "SELECT 1",
    "SELECT * FROM issues", "SELECT 1; SELECT 2", "SELECT x'00', 9e999, -9e999", "SELECT 'a\nb', char(0), char(55296)",
    "SELECT CAST(x'ff' AS TEXT)", "DELETE FROM issues", "PRAGMA user_version",
    "SELECT 1 AS a, 2 AS a", "SELEC", "nowhere",
    "work/.todos/config.json", "work/.todos/data.db", "\x1b[2J", "caf\udce9", "\u202e",
    "keyring", "file", "A" * 43, "correct horse", "x" * 5000, "state", "acme", "rw", "30d", "0m", "99999w",
    "none", "workos", "default", "td_live_0123456789", "eyJhbGciOiJub25lIn0.e30.",
    "a\nb", "01", "[red]x[/]",
]  # fmt: skip
_ENVIRONMENT: Final = [
    "TD_DATABASE_URL", "TD_DATABASE_TOKEN", "TD_WORK_DIR", "COLUMNS", "LINES", "TERM", "NO_COLOR", "LANG", "TZ",
    "TD_VAULT", "TD_VAULT_KEY", "TD_VAULT_KEY_FILE", "TD_VAULT_PASSPHRASE", "TD_DATABASE_CA_FILE", "TD_PROFILE",
    "TD_DATABASE_MODE", "XDG_CONFIG_HOME", "TURSO_ORG", "TD_SQLD_STATE",
    "PYTHON_KEYRING_BACKEND", "XDG_DATA_HOME", "FORCE_COLOR", "_TD_COMPLETE", "TYPER_STANDARD_TRACEBACK",
]  # fmt: skip
_MODES: Final = ["local", "libsql"]
_HOME: Final = "home"


# Nothing that is typed may lead out of the directory of the input, or to a primary beyond this machine.
_typed = st.text(max_size=20).filter(lambda text: not set("/~\0.") & set(text)) | st.sampled_from(_VALUES)
_words = st.lists(st.sampled_from(_OPTIONS) | _typed, max_size=6)
lines: SearchStrategy[list[str]] = st.tuples(
    st.lists(st.sampled_from(_OPTIONS), max_size=1), st.sampled_from(_COMMANDS) | _typed, _words
).map(lambda parts: [word for word in (*parts[0], *parts[1].split(" "), *parts[2]) if word not in ("demo", "run")])
_settings = st.dictionaries(st.sampled_from(_ENVIRONMENT), _typed, max_size=2)


@dataclass(frozen=True, slots=True)
class Ended:
    """How td ended."""

    code: int
    out: str
    err: str


@contextmanager
def _process(directory: Path, environ: Mapping[str, str], typed: bytes) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    """What td takes from its process: streams, environment, working directory; all put back."""
    kept = sys.stdin, sys.stdout, sys.stderr, dict(os.environ), Path.cwd()
    out, err = io.BytesIO(), io.BytesIO()
    (directory / _HOME).mkdir(exist_ok=True)
    os.environ.clear()
    os.environ.update(
        {"PATH": kept[3].get("PATH", ""), "HOME": str(directory / _HOME), "XDG_DATA_HOME": str(directory)}
    )
    os.environ.update({"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", **environ})
    os.chdir(directory)
    sys.stdin = io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8")
    sys.stdout, sys.stderr = (io.TextIOWrapper(stream, encoding="utf-8", write_through=True) for stream in (out, err))
    try:
        yield out, err
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            stream.detach()
        sys.stdin, sys.stdout, sys.stderr = kept[:3]
        os.environ.clear()
        os.environ.update(kept[3])
        os.chdir(kept[4])


def call(directory: Path, args: Sequence[str], environ: Mapping[str, str], typed: bytes = b"") -> Ended:
    """Run td in this process."""
    with _process(directory, environ, typed) as (out, err):
        code = answered(lambda: run(list(args)), within_s=20)
    assert isinstance(code, int), code
    return Ended(code, out.getvalue().decode(), err.getvalue().decode())


def _hold(ended: Ended, args: Sequence[str]) -> None:
    """One line of an error, in words, and one document with --json."""
    assert ended.code in {0, 1, *EXIT_CODES.values()}, ended
    assert "Traceback" not in ended.err
    words = args[: args.index("--")] if "--" in args else args
    if "--json" in words and ended.code:
        (line,) = ended.err.splitlines()
        assert set(json.loads(line)["error"]) == {"code", "message", "hint"}
    elif ended.code:
        last = ended.err.splitlines()[-1]
        assert last.startswith("td: "), ended
    elif "--json" in words and not {"--help", "--version"} & set(words):
        json.loads(ended.out)


def _rows(directory: Path) -> dict[str, list[object]]:
    """Everything that a refused command may not touch."""
    found: dict[str, list[object]] = {}
    for path in sorted((directory / "work" / ".todos").glob("*a*.db")):
        with closing(sqlite3.connect(path)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            for name in names:
                # A move that stopped at a primary that is down leaves a file of empty tables, to go on in.
                if name != "facts" and (rows := connection.execute(f"SELECT * FROM {name}").fetchall()):
                    found[f"{path.name} {name}"] = rows
    return found


def _initialised(bench: Workbench, mode: str) -> Path:
    """A directory with two issues; in mode libsql, one that never met its primary."""
    directory, is_new = bench.template(f"td-{mode}")
    if is_new:
        (directory / "work").mkdir()
        place = [] if mode == "local" else ["--url", NOWHERE]
        assert call(directory, ["init", "-w", "work", *place], {}).code == 0
        for title in ("Oat milk", "Rye bread"):
            assert call(directory, ["create", title, "-w", "work", "-l", "x"], {}).code == 0
    return directory


def _with_ids(directory: Path, args: Sequence[str]) -> list[str]:
    listed = json.loads(call(directory, ["list", "-w", "work", "--json"], {}).out)
    return [listed[0]["id"] if word == "ID" else word for word in args]


@promised(
    st.tuples(st.sampled_from(_MODES), st.lists(lines, min_size=1, max_size=3), _settings, st.binary(max_size=30)),
    examples=50,
)
def whatever_is_typed_td_ends_in_one_line(
    bench: Workbench, drawn: tuple[str, list[list[str]], dict[str, str], bytes]
) -> None:
    """With an exit code of its own and no traceback; a command that is refused changes nothing."""
    mode, typed, environ, stdin = drawn
    directory = bench.copy(_initialised(bench, mode), "td")
    environ = {name: value.replace("\0", "") for name, value in environ.items()}
    for words in typed:
        args = _with_ids(directory, words)
        before = _rows(directory)

        ended = call(directory, ["-w", "work", *args], environ, stdin)

        _hold(ended, args)
        if ended.code in (2, 5):
            assert _rows(directory) == before


_configs = st.one_of(
    st.binary(max_size=60),
    jsons.map(lambda document: json.dumps(document).encode()),
    st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from([*_MODES, "turso", "LOCAL", "", None, 1]) | jsons,
            "url": st.sampled_from([NOWHERE, "libsql://x.turso.io", "http://[", None]) | jsons,
            "credential": jsons,
            "ca_file": jsons,
            "more": jsons,
        },
    ).map(lambda document: json.dumps(document).encode()),
    st.sampled_from([b"[" * 100_000, b'{"mode": "local"}' * 2, b'\xef\xbb\xbf{"mode": "local"}', b"1" * 5000]),
)


@promised(_configs, examples=40)
def whatever_the_config_holds_td_ends_in_one_line(bench: Workbench, config: bytes) -> None:
    """And what is refused changes nothing."""
    directory = bench.copy(_initialised(bench, "local"), "configured")
    (directory / "work" / ".todos" / "config.json").write_bytes(config)
    before = _rows(directory)

    for words in (["list"], ["status"], ["config", "list"], ["create", "x"], ["config", "set", "url", NOWHERE]):
        ended = call(directory, [*words, "-w", "work"], {})

        _hold(ended, words)
        if ended.code:
            assert _rows(directory) == before
        before = _rows(directory)
