"""What a program hands in: values of records, ids, SQL; addresses; folders of migrations."""

import shutil
from contextlib import suppress
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from replica import InputError, Kind, Replica, ReplicaError, check_url, is_turso, open_replica, refuse_open_token
from tests.fuzz.documents import jsons, scalars, texts
from tests.fuzz.kept import NOWHERE
from tests.fuzz.promise import answered, promised
from tests.fuzz.workbench import Workbench
from tests.replica.notebook import MIGRATIONS, Note
from tests.replica.samples import COLUMNS, Sample, samples

_MODES: Final = ["local", "libsql"]
_MAKES: Final = f"CREATE TABLE samples (id TEXT PRIMARY KEY, updated_at TEXT NOT NULL, {COLUMNS});"
_NAMES: Final = [name for name in Sample.model_fields if name not in ("id", "updated_at")]
_objects: SearchStrategy[Any] = st.one_of(  # whatever a program may hand in
    jsons, st.binary(max_size=20), st.dates(), st.datetimes(), st.datetimes(timezones=st.timezones()), st.decimals(),
    st.uuids(), st.complex_numbers(), st.sets(scalars, max_size=3), st.frozensets(texts, max_size=3),
    st.tuples(scalars, scalars), st.just(object()), st.just(Sample), st.just("x" * 1_100_000),
)  # fmt: skip
_changes = st.dictionaries(
    st.sampled_from([*_NAMES, "id", "updated_at", "none", "a b"]), _objects, min_size=1, max_size=2
)


def _open(bench: Workbench, mode: str) -> Replica:
    """An empty replica of samples; in mode libsql, one that never met its primary."""
    template, is_new = bench.template("samples")
    if is_new:
        (template / "0001_samples.sql").write_text(_MAKES)
    return open_replica(
        bench.fresh("values"), records=[Sample], migrations=template, mode=mode,
        url=None if mode == "local" else NOWHERE, machine="laptop00",
    )  # fmt: skip


@promised(st.tuples(st.sampled_from(_MODES), samples, samples, _changes, _objects), examples=60)
def whatever_is_written_is_kept_as_it_is_or_refused(
    bench: Workbench, drawn: tuple[str, Sample, Sample, dict[str, Any], Any]
) -> None:
    """Insert, update, select, history and undo; what is refused leaves nothing behind."""
    mode, first, second, changes, params = drawn
    with _open(bench, mode) as replica:
        with replica.transaction() as tx:
            made = tx.insert(first)
        assert replica.select(Sample) == [made]
        with replica.transaction() as tx:
            whole = tx.update(made, **{name: getattr(second, name) for name in _NAMES})
            last = tx.mutation_id if tx.changes() else ""
        assert replica.get(Sample, made.id) == whole
        if last:
            replica.undo(last)
            back = replica.get(Sample, made.id)
            assert {name: getattr(back, name) for name in _NAMES} == {name: getattr(made, name) for name in _NAMES}
        _update_with_anything(replica, made.id, changes)
        entries = replica.history(Sample, made.id)
        assert entries[0].kind is Kind.INSERT
        answered(lambda: replica.select(Sample, "WHERE text = ?", (params,)))
        answered(lambda: replica.query("SELECT ?", (params,)))


def _update_with_anything(replica: Replica, row_id: str, changes: dict[str, Any]) -> None:
    """Refused, it is as if it had not been tried."""
    before, entries = replica.get(Sample, row_id), replica.history(Sample, row_id)

    def update() -> Sample:
        with replica.transaction() as tx:
            return tx.update(before, **changes)

    outcome = answered(update)

    if isinstance(outcome, ReplicaError):
        assert isinstance(outcome, InputError), outcome
        assert replica.get(Sample, row_id) == before
        assert replica.history(Sample, row_id) == entries
    else:
        assert replica.get(Sample, row_id) == outcome


@promised(
    st.tuples(st.sampled_from(_MODES), texts | st.text(max_size=40), st.lists(scalars, max_size=2), samples),
    examples=60,
)
def whatever_id_or_sql_is_asked_for_it_is_found_or_refused(
    bench: Workbench, drawn: tuple[str, str, list[Any], Sample]
) -> None:
    """And an id that was taken is found again."""
    mode, text, params, sample = drawn
    with _open(bench, mode) as replica:

        def insert() -> Sample:
            with replica.transaction() as tx:
                return tx.insert(sample.model_copy(update={"id": text}))

        made = answered(insert)
        if not isinstance(made, ReplicaError):
            assert replica.select(Sample) == [made]
        for ask in (
            lambda: replica.get(Sample, text),
            lambda: replica.full_id(Sample, text),
            lambda: replica.history(Sample, text),
            lambda: replica.conflict(text),
            lambda: replica.undo(text),
            lambda: replica.resolve(text, "mine"),
            lambda: replica.select(Sample, text, params),
            lambda: replica.query(text, params),
        ):
            answered(ask)


@promised(st.tuples(texts | st.text(max_size=60) | st.text(max_size=30).map("libsql://{}".format), texts), examples=300)
def whatever_url_is_typed_it_is_an_address_or_refused(bench: Workbench, drawn: tuple[str, str]) -> None:
    """A replica on it opens or does not, and makes no file where it does not."""
    url, token = drawn
    checked = answered(lambda: check_url(url))
    if isinstance(checked, ReplicaError):
        directory = bench.fresh("url") / "replica"
        opened = answered(
            lambda: open_replica(directory, records=[], migrations=bench.fresh("none"), mode="libsql", url=url)
        )
        assert isinstance(opened, ReplicaError)
        assert not directory.exists()
        return
    answered(lambda: refuse_open_token(url, token))
    assert is_turso(url) in (True, False)


_FIRST: Final = MIGRATIONS / "0001_notes.sql"
_FILE_NAMES: Final = [
    "0001_a.sql", "0002_b.sql", "0003_c.sql", "0001_b.sql", "1_a.sql", "0001_A.sql", "0000_a.sql",
    "9999_a.sql", "0001.sql",
    "a.sql", "0001_a.sql~", "README", "0001_a.SQL", "٠٠٠١_a.sql",
]  # fmt: skip
_NOTES: Final = "the notebook"
_SQL: Final = [
    _NOTES, "SELECT 1;", "SELECT 1", ";",
    "", "BEGIN;", "COMMIT;", "ROLLBACK;", "SAVEPOINT x;", "RELEASE x;", "CREATE TABLE t (a);", "DROP TABLE notes;",
    "CREATE TABLE t (id TEXT PRIMARY KEY, updated_at TEXT, b BLOB, UNIQUE (b));", "CREATE TABLE sqlite_x (a);",
    "CREATE TABLE _replica_changes (a);", "CREATE TABLE _replica_migrations (a);", "CREATE VIEW v AS SELECT 1;",
    "CREATE TABLE overlay_notes (a);", "CREATE TABLE mutations (a);", "CREATE VIRTUAL TABLE f USING fts5(a);",
    "CREATE TABLE g (a, b AS (a + 1));", "CREATE TABLE w (a PRIMARY KEY) WITHOUT ROWID;",
    "CREATE TABLE s (a INT) STRICT;",
    "CREATE TRIGGER r AFTER INSERT ON notes BEGIN DELETE FROM notes; END;", "PRAGMA user_version = 99;", "VACUUM;",
    "PRAGMA application_id = 1;", "PRAGMA journal_mode = DELETE;",
    "ALTER TABLE notes ADD COLUMN x;", "ATTACH ':memory:' AS m;",
    "CREATE TABLE p (a REFERENCES notes (id) ON DELETE CASCADE);",
    'CREATE TABLE "a""b" ("c d", "e""f");', "-- only words",
    "CREATE TABLE d (a DEFAULT (random()), b DEFAULT CURRENT_TIMESTAMP, c DEFAULT (1/0));",
    "/* open", "'open", "SELEC;",
    "CREATE TABLE n (a COLLATE nosuch);", "CREATE TABLE k (a COLLATE NOCASE);",
    "SELECT load_extension('x');", "\0", "SELECT '\0';",
    "CREATE INDEX _replica_collations ON notes (title);", "CREATE TEMP TABLE tt (a);", "EXPLAIN SELECT 1;",
]  # fmt: skip
_folders = st.dictionaries(
    st.sampled_from(_FILE_NAMES),
    st.lists(st.sampled_from(_SQL) | texts, max_size=4) | st.binary(max_size=20) | st.none(),
    max_size=3,
)


@promised(st.tuples(st.sampled_from(_MODES), _folders, st.booleans()), examples=200)
def whatever_a_folder_of_migrations_holds_it_runs_or_is_refused(
    bench: Workbench, drawn: tuple[str, dict[str, list[str] | bytes | None], bool]
) -> None:
    """Refused, the next program with sound ones finds what it would have found without."""
    mode, files, with_notes = drawn
    folder, directory = bench.fresh("folder"), bench.fresh("migrated")
    for name, content in files.items():
        if content is None:
            (folder / name).mkdir()
        elif isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            texts_of = (_FIRST.read_text() if each == _NOTES else each for each in content)
            (folder / name).write_text("\n".join(texts_of), encoding="utf-8", errors="surrogatepass")
    records = [Note] if with_notes else []
    url = None if mode == "local" else NOWHERE

    opened = answered(lambda: open_replica(directory, records=records, migrations=folder, mode=mode, url=url))

    if isinstance(opened, ReplicaError):
        return
    with opened as replica:
        answered(lambda: replica.query("SELECT 1"))
        answered(replica.status)
        answered(replica.checks)
        if with_notes:
            with suppress(ReplicaError), replica.transaction() as tx:
                tx.insert(Note(title="a"))
            answered(lambda: replica.select(Note))
    again = answered(lambda: open_replica(directory, records=records, migrations=folder, mode=mode, url=url))
    assert not isinstance(again, ReplicaError), again
    again.close()
    shutil.rmtree(directory)
