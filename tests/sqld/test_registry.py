"""What a server knows of its tenants, their keys, and who may come in."""

import dataclasses
import os
import pickle
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from auth.tokens import Role
from sqld.errors import SqldError
from sqld.registry import ApiKey, KeyState, Registry, Request, TenantState, Token
from sqld.tenant_errors import (
    NoApiKeyError,
    NoTenantError,
    NoTokenError,
    OrganisationError,
    OrganisationTakenError,
    RegistryError,
    TenantNameError,
    TenantStateError,
)

NOW: Final = 1_800_000_000
TOKEN: Final = Token("t1", "acme", Role.RW, "ann", "k1", "00", NOW, NOW + 60)
API_KEY: Final = ApiKey("a1", "acme", Role.RO, "ci", "11", NOW, NOW + 60)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the registry is."""
    return tmp_path / "registry.db"


@pytest.fixture
def registry(path: Path) -> Iterator[Registry]:
    """An empty one."""
    with Registry.open(path) as opened:
        yield opened


@pytest.fixture
def acme(registry: Registry) -> Registry:
    """One with an active tenant, `acme`, and its key, `k1`."""
    registry.tenants.add("acme", organisation="org_1", now=NOW)
    add_current_key(registry, "acme", "k1")
    registry.tenants.move("acme", TenantState.ACTIVE)
    return registry


def add_current_key(registry: Registry, tenant: str, key_id: str, *, not_after: int = NOW) -> None:
    """Give a tenant a key; what it had holds until `not_after`."""
    registry.keys.add(tenant, key_id=key_id, public_pem=f"pem of {key_id}", now=NOW)
    registry.keys.make_current(tenant, not_after=not_after)


def test_what_was_written_is_found_by_another_process(acme: Registry, path: Path) -> None:
    """At once."""
    code = "import sys, pathlib, sqld.registry as r; print(r.Registry.open(pathlib.Path(sys.argv[1])).tenants.all())"

    told = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)

    assert told.stdout == f"{acme.tenants.all()}\n"


def test_the_file_is_for_its_owner_alone(acme: Registry, path: Path) -> None:
    """With what SQLite puts beside it."""
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == {"registry.db": 0o600, "registry.db-wal": 0o600, "registry.db-shm": 0o600}


def test_a_write_survives_the_end_of_the_process(path: Path) -> None:
    """What returned is on the disk."""
    with Registry.open(path) as registry:
        registry.tenants.add("acme", organisation=None, now=NOW)

    with Registry.open(path) as again:
        assert again.tenants.get("acme").created_at == NOW


@pytest.mark.parametrize(
    "name", ["", "a", "A1", "1a", "-a", "a-", "a" * 40, "a_b", "a.b", "../a", "a\n", "default", "é1"]
)
def test_a_name_that_is_no_label_is_refused(registry: Registry, name: str) -> None:
    """It becomes a folder of sqld and a part of addresses."""
    with pytest.raises(TenantNameError):
        registry.tenants.add(name, organisation=None, now=NOW)

    assert registry.tenants.all() == []


@pytest.mark.parametrize("name", ["ab", "a1", "a" * 39, "acme-2"])
def test_a_label_is_a_name(registry: Registry, name: str) -> None:
    """The namespace is called the same."""
    tenant = registry.tenants.add(name, organisation=None, now=NOW)

    assert (tenant.namespace, tenant.state) == (name, TenantState.CREATING)


def test_adding_a_tenant_goes_on_where_it_was_left(registry: Registry) -> None:
    """Until it is whole; then the name is taken."""
    registry.tenants.add("acme", organisation=None, now=NOW)

    again = registry.tenants.add("acme", organisation=None, now=NOW + 9)
    registry.tenants.move("acme", TenantState.ACTIVE)

    assert again.created_at == NOW
    with pytest.raises(TenantStateError):
        registry.tenants.add("acme", organisation=None, now=NOW)


def test_a_tenant_goes_only_where_it_can(acme: Registry) -> None:
    """What is deleted stays so, and its name is not given away."""
    acme.tenants.move("acme", TenantState.SUSPENDED)
    with pytest.raises(TenantStateError) as raised:
        acme.tenants.move("acme", TenantState.DELETED)
    acme.tenants.move("acme", TenantState.DELETING)
    acme.tenants.move("acme", TenantState.DELETED)

    assert raised.value.state == "suspended"
    assert "resume acme" in raised.value.hint
    for state in set(TenantState) - {TenantState.DELETED}:
        with pytest.raises(TenantStateError):
            acme.tenants.move("acme", state)
    with pytest.raises(TenantStateError):
        acme.tenants.add("acme", organisation=None, now=NOW)


def test_an_organisation_has_one_tenant_and_may_begin_anew(acme: Registry) -> None:
    """Under another name, once its tenant is gone."""
    with pytest.raises(OrganisationTakenError):
        acme.tenants.add("other", organisation="org_1", now=NOW)
    assert acme.tenants.find("other") is None
    found = acme.tenants.find_by_organisation("org_1")
    acme.tenants.move("acme", TenantState.DELETING)
    acme.tenants.move("acme", TenantState.DELETED)
    again = acme.tenants.add("other", organisation="org_1", now=NOW)

    assert found is not None
    assert found.name == "acme"
    assert acme.tenants.find_by_organisation("org_1") == again


@pytest.mark.parametrize("organisation", ["", " ", "a b", "a\x1b", "caf\udce9", "x" * 101])
def test_an_organisation_that_is_none_is_refused(registry: Registry, organisation: str) -> None:
    """And none is found by it."""
    with pytest.raises(OrganisationError):
        registry.tenants.add("acme", organisation=organisation, now=NOW)

    assert registry.tenants.find_by_organisation(organisation) is None
    assert registry.tenants.all() == []


@pytest.mark.parametrize("name", ["", "caf\udce9", "x" * 5000, "a\0b"])
def test_what_no_tenant_may_be_called_is_no_tenant(registry: Registry, name: str) -> None:
    """Whatever was typed."""
    with pytest.raises(NoTenantError):
        registry.tenants.get(name)


def test_the_key_before_holds_for_a_while(acme: Registry) -> None:
    """Both open the tenant until the old one's time is over."""
    add_current_key(acme, "acme", "k2", not_after=NOW + 60)

    assert set(acme.keys.verifying(now=NOW + 59)) == {"k1", "k2"}
    assert set(acme.keys.verifying(now=NOW + 60)) == {"k2"}
    assert [(key.id, key.state) for key in acme.keys.of("acme")] == [
        ("k2", KeyState.CURRENT),
        ("k1", KeyState.PREVIOUS),
    ]


def test_a_key_opens_its_own_tenant(acme: Registry) -> None:
    """It comes with whose it is, and opens nothing before sqld knows it or after it was retired."""
    acme.tenants.add("globex", organisation=None, now=NOW)
    add_current_key(acme, "globex", "g1")
    acme.tenants.move("globex", TenantState.ACTIVE)
    acme.keys.add("globex", key_id="g2", public_pem="pem of g2", now=NOW)

    found = dict(acme.keys.verifying(now=NOW))
    acme.keys.retire("g1")

    assert {key_id: key.tenant for key_id, key in found.items()} == {"k1": "acme", "g1": "globex"}
    assert set(acme.keys.verifying(now=NOW)) == {"k1"}


@pytest.mark.parametrize("state", [TenantState.SUSPENDED, TenantState.DELETING])
def test_no_key_of_a_closed_tenant_holds(acme: Registry, state: TenantState) -> None:
    """Whatever was signed with it."""
    acme.tenants.move("acme", state)

    assert acme.keys.verifying(now=NOW) == {}


def test_a_second_key_that_is_coming_is_an_error(acme: Registry) -> None:
    """A rotation goes on with the one it began with."""
    acme.keys.add("acme", key_id="k2", public_pem="", now=NOW)
    acme.keys.add("acme", key_id="k2", public_pem="", now=NOW)

    with pytest.raises(sqlite3.IntegrityError):
        acme.keys.add("acme", key_id="k3", public_pem="", now=NOW)


def test_a_token_holds_until_it_is_revoked_or_over(acme: Registry) -> None:
    """Revoking it again changes nothing."""
    acme.tokens.add(TOKEN)

    found = acme.tokens.find("t1")
    revoked = acme.tokens.revoke("t1", now=NOW + 1)
    again = acme.tokens.revoke("t1", now=NOW + 2)

    assert found == TOKEN
    assert (found.holds(NOW + 59), found.holds(NOW + 60), revoked.holds(NOW)) == (True, False, False)
    assert revoked == again == dataclasses.replace(TOKEN, revoked_at=NOW + 1)


def test_an_api_key_is_found_by_its_digest(acme: Registry) -> None:
    """And by nothing like it."""
    acme.api_keys.add(API_KEY)

    assert acme.api_keys.find_by_digest("11") == API_KEY
    assert acme.api_keys.find_by_digest("1") is None
    assert not acme.api_keys.revoke("a1", now=NOW).holds(NOW)


def test_the_use_of_an_api_key_is_written_down_once_a_minute(acme: Registry) -> None:
    """A busy one costs no write a request."""
    acme.api_keys.add(API_KEY)
    uses = []
    for second in (0, 59, 60):
        acme.api_keys.used(acme.api_keys.of("acme")[0], now=NOW + second)
        uses.append(acme.api_keys.of("acme")[0].last_used_at)

    assert uses == [NOW, NOW, NOW + 60]


def test_all_that_opens_a_tenant_can_be_revoked_at_once(acme: Registry) -> None:
    """And nothing of another tenant with it."""
    acme.tenants.add("globex", organisation=None, now=NOW)
    acme.tokens.add(TOKEN)
    acme.tokens.add(dataclasses.replace(TOKEN, id="t2", tenant="globex", sha256="22"))
    acme.api_keys.add(API_KEY)

    assert (acme.tokens.revoke_all("acme", now=NOW), acme.api_keys.revoke_all("acme", now=NOW)) == (1, 1)

    assert [token.id for token in acme.tokens.of() if token.holds(NOW)] == ["t2"]
    assert [token.id for token in acme.tokens.of("acme")] == ["t1"]


def test_the_first_answer_to_a_request_stays(acme: Registry) -> None:
    """A request id of one tenant says nothing about another's."""
    first = Request("acme", "r1", "aa", "yes", NOW)

    assert acme.requests.add(first) == first
    assert acme.requests.add(dataclasses.replace(first, answer="no")) == first
    assert acme.requests.find("globex", "r1") is None
    assert (acme.requests.forget(before=NOW), acme.requests.forget(before=NOW + 1)) == (0, 1)
    assert acme.requests.find("acme", "r1") is None


def test_a_transaction_is_there_whole_or_not_at_all(acme: Registry) -> None:
    """Across the tables."""

    def move_and_fail() -> None:
        with acme.transaction():
            acme.tenants.move("acme", TenantState.SUSPENDED)
            acme.tokens.revoke("none", now=NOW)

    with pytest.raises(NoTokenError):
        move_and_fail()

    assert acme.tenants.get("acme").state is TenantState.ACTIVE


def test_threads_take_turns(acme: Registry) -> None:
    """No transaction of one mixes with another's."""

    def write(name: str) -> None:
        for number in range(20):
            with acme.transaction():
                acme.requests.add(Request("acme", f"{name}-{number}", "", "", NOW))
                acme.requests.add(Request("acme", f"{name}-{number}-again", "", "", NOW))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert acme.requests.forget(before=NOW + 1) == 160


def test_two_processes_that_look_before_they_write_take_turns(registry: Registry, path: Path) -> None:
    """The second waits before it looks; it is not turned away after."""
    with Registry.open(path) as other:

        def add(one: Registry, name: str) -> None:
            for number in range(40):
                one.tenants.add(f"{name}{number}", organisation=None, now=NOW)

        threads = [threading.Thread(target=add, args=pair) for pair in ((registry, "a"), (other, "b"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(other.tenants.all()) == 80


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to look", b"SQLite format 3\0" + b"\0" * 100]
)
def test_a_file_that_is_no_registry_is_told(path: Path, content: bytes) -> None:
    """And not written over."""
    path.write_bytes(content)

    with pytest.raises(RegistryError) as raised:
        Registry.open(path)

    assert str(path) in str(raised.value)
    assert path.read_bytes() == content


def test_a_registry_of_a_newer_td_is_told(path: Path) -> None:
    """With its version."""
    Registry.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()

    with pytest.raises(RegistryError, match="version 9"):
        Registry.open(path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With the reason of the system."""
    with pytest.raises(RegistryError, match=os.strerror(2)):
        Registry.open(tmp_path / "none" / "registry.db")


def test_what_is_not_there_is_told_by_name(registry: Registry) -> None:
    """Unless the name is long, as a token that was given in its place is."""
    errors: list[SqldError] = []
    for find in (
        lambda: registry.tenants.get("acme"),
        lambda: registry.tokens.revoke("t1", now=NOW),
        lambda: registry.api_keys.revoke("a1", now=NOW),
        lambda: registry.tokens.revoke("x" * 41, now=NOW),
        lambda: registry.api_keys.revoke("x" * 41, now=NOW),
    ):
        with pytest.raises(SqldError) as raised:
            find()
        errors.append(raised.value)

    assert [type(error) for error in errors[:3]] == [NoTenantError, NoTokenError, NoApiKeyError]
    assert ["acme" in str(errors[0]), "t1" in str(errors[1]), "a1" in str(errors[2])] == [True] * 3
    assert "xx" not in "".join(str(error) + error.hint for error in errors)
    assert [str(pickle.loads(pickle.dumps(error))) for error in errors] == [str(error) for error in errors]
