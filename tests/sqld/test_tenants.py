"""Tenants: a database and a key of its own for each."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from auth.tokens import Role, SigningKey, mint
from sqld.minting import mint_token
from sqld.registry import KeyState, Request, TenantState
from sqld.state import State
from sqld.state_errors import AdminKeyError, AdminUnreachableError, StateBusyError
from sqld.tenant_errors import (
    LifetimeError,
    NamespaceTakenError,
    NoTenantError,
    OrganisationTakenError,
    TenantNameError,
    TenantStateError,
)
from sqld.tenants import vault_name
from tests.sqld.killed import CALLS
from tests.sqld.tenant_server import TenantServer


@pytest.fixture
def acme(primary: TenantServer) -> TenantServer:
    """With a tenant, `acme`, that has a table."""
    primary.tenancy.create("acme")
    assert primary.ask("acme", primary.token("acme"), "CREATE TABLE t (x)") == "ok"
    return primary


def keys_in_vault(primary: TenantServer, tenant: str) -> set[str]:
    """The states of the keys whose private halves are in the vault."""
    keys = primary.registry.keys.of(tenant)
    return {key.state for key in keys if primary.vault.read(vault_name(tenant, key.id)) is not None}


def test_a_tenant_has_a_database_that_its_tokens_open(primary: TenantServer) -> None:
    """By its role, and nobody without a token."""
    tenant = primary.tenancy.create("acme", organisation="org_1")
    writer, reader = primary.token("acme"), primary.token("acme", Role.RO)

    assert (tenant.state, tenant.organisation) == (TenantState.ACTIVE, "org_1")
    assert primary.ask("acme", writer, "CREATE TABLE t (x)") == "ok"
    assert primary.ask("acme", reader, "SELECT * FROM t") == "ok"
    assert primary.ask("acme", reader, "INSERT INTO t VALUES (1)") == "403"
    assert primary.ask("acme", None) == "401"


def test_what_it_acknowledges_survives_a_power_cut(acme: TenantServer) -> None:
    """Sqld's own default does not."""
    assert acme.database("acme")["durability_mode"] == "strong"


def test_a_namespace_without_a_key_opens_to_nobody(acme: TenantServer) -> None:
    """Neither `default`, nor one that somebody made by hand."""
    assert acme.admin.create("stray", {})

    for namespace in ("default", "stray"):
        assert acme.ask(namespace, None) == "401"
        assert acme.ask(namespace, acme.token("acme")) == "401"


def test_a_token_opens_no_other_tenant_over_hrana(acme: TenantServer) -> None:
    """Whatever it says, if it is signed with another key."""
    acme.tenancy.create("globex")
    (key,) = acme.registry.keys.in_state("acme", KeyState.CURRENT)
    private_pem = acme.vault.read(vault_name("acme", key.id))
    assert private_pem is not None
    forged = mint(SigningKey(private_pem), tenant="globex", role=Role.RW, ttl_s=60, token_id="x", subject="x")

    assert acme.ask("globex", acme.token("globex")) == "ok"
    assert acme.ask("globex", acme.token("acme")) == "401"
    assert acme.ask("globex", forged) == "401"


def test_a_token_replicates_no_other_tenant(acme: TenantServer, tmp_path: Path) -> None:
    """Sqld checks no namespace there: were the keys the same, it would let it (that is measured here too)."""
    other = SigningKey.generate()
    acme.admin.create("127", {"jwt_key": other.public_pem})
    own = mint(other, tenant="127", role=Role.RO, ttl_s=60, token_id="x", subject="x")
    writer = mint(other, tenant="127", role=Role.RW, ttl_s=60, token_id="x", subject="x")
    assert acme.ask("127", writer, "CREATE TABLE t (x)") == "ok"
    assert acme.ask("127", writer, "INSERT INTO t VALUES (42)") == "ok"
    foreign = acme.token("acme")

    found = [acme.replicate(own, tmp_path / "own.db"), acme.replicate(foreign, tmp_path / "foreign.db")]
    acme.admin.change("127", {"jwt_key": acme.registry.keys.of("acme")[0].public_pem})
    found.append(acme.replicate(foreign, tmp_path / "shared.db"))

    assert found == [[(42,)], None, [(42,)]]


def test_a_name_that_is_taken_is_refused(acme: TenantServer) -> None:
    """By a tenant, by one that is gone, by rule, or by a database that is none's: that is not touched."""
    acme.admin.create("stray", {"jwt_key": SigningKey.generate().public_pem})
    before = acme.database("stray")

    with pytest.raises(TenantStateError):
        acme.tenancy.create("acme")
    with pytest.raises(TenantNameError):
        acme.tenancy.create("default")
    with pytest.raises(NamespaceTakenError):
        acme.tenancy.create("stray")

    assert acme.registry.tenants.find("stray") is None
    assert acme.database("stray") == before


def test_an_organisation_has_one_tenant(primary: TenantServer) -> None:
    """A second one is refused before anything is made."""
    primary.tenancy.create("acme", organisation="org_1")

    with pytest.raises(OrganisationTakenError):
        primary.tenancy.create("globex", organisation="org_1")

    assert primary.admin.settings("globex") is None


def test_a_database_made_by_hand_meanwhile_is_not_taken_over(primary: TenantServer) -> None:
    """Neither when the creation is finished, nor when the tenant is deleted."""
    primary.registry.tenants.add("acme", organisation=None, now=0)
    primary.admin.create("acme", {"jwt_key": SigningKey.generate().public_pem})

    for call in (primary.tenancy.create, primary.tenancy.delete):
        with pytest.raises(NamespaceTakenError):
            call("acme")

    assert primary.admin.settings("acme") is not None


def test_other_settings_of_a_database_stay_as_they_are(acme: TenantServer) -> None:
    """Sqld clears what it is not told."""
    acme.admin.change("acme", {"max_db_size": "1.0 GB", "txn_timeout_s": 7})
    before = acme.database("acme")

    acme.tenancy.rotate_key("acme", overlap_s=0)
    acme.tenancy.suspend("acme")
    acme.tenancy.resume("acme")

    after = acme.database("acme")
    assert before["txn_timeout_s"] == 7
    assert after.pop("jwt_key") != before.pop("jwt_key")
    assert after == before


def test_the_old_key_holds_for_a_while_after_the_new_one_came(acme: TenantServer) -> None:
    """So that nobody is turned away while new tokens are handed out; then it is gone everywhere."""
    old = acme.token("acme")
    key = acme.tenancy.rotate_key("acme", overlap_s=60)
    new = acme.token("acme")
    both = [acme.ask("acme", old), acme.ask("acme", new)]
    closed_early = acme.tenancy.close_old_keys()

    acme.now += 60
    closed = acme.tenancy.close_old_keys()

    assert (both, closed_early, len(closed)) == (["ok", "ok"], [], 1)
    assert [acme.ask("acme", old), acme.ask("acme", new)] == ["401", "ok"]
    assert acme.database("acme")["jwt_key"] == key.public_pem
    assert keys_in_vault(acme, "acme") == {KeyState.CURRENT}
    assert acme.tenancy.close_old_keys() == []


def test_a_rotation_without_an_overlap_ends_every_token_before(acme: TenantServer) -> None:
    """Also those of a key that was to hold longer."""
    first = acme.token("acme")
    acme.tenancy.rotate_key("acme", overlap_s=3600)
    second = acme.token("acme")

    acme.tenancy.rotate_key("acme", overlap_s=0)

    assert [acme.ask("acme", token) for token in (first, second, acme.token("acme"))] == ["401", "401", "ok"]
    assert [key.state for key in acme.registry.keys.of("acme")] == ["current", "retired", "retired"]


def test_nobody_is_turned_away_while_keys_are_rotated(acme: TenantServer) -> None:
    """With a token of before, whatever moment of a rotation it comes in."""
    token, answers, is_over = acme.token("acme"), Counter[str](), threading.Event()

    def keep_asking() -> None:
        while not is_over.is_set():
            answers[acme.ask("acme", token, "INSERT INTO t VALUES (1)")] += 1

    asking = threading.Thread(target=keep_asking)
    asking.start()
    for _ in range(5):
        acme.tenancy.rotate_key("acme", overlap_s=60)
    is_over.set()
    asking.join()

    assert set(answers) == {"ok"}
    assert len(acme.registry.keys.verifying(now=acme.now)) == 6


@pytest.mark.parametrize("overlap_s", [-1, 400 * 86_400 + 1])
def test_an_overlap_has_an_end(acme: TenantServer, overlap_s: int) -> None:
    """What holds for longer than anything else is a mistake."""
    with pytest.raises(LifetimeError):
        acme.tenancy.rotate_key("acme", overlap_s=overlap_s)

    assert len(acme.registry.keys.of("acme")) == 1


def test_a_suspended_tenant_is_closed_to_everybody_and_keeps_everything(acme: TenantServer, tmp_path: Path) -> None:
    """Replication too, which sqld goes on with where only reads and writes are blocked."""
    token = acme.token("acme")
    tenant = acme.tenancy.suspend("acme")
    closed = acme.ask("acme", token)
    settings = acme.database("acme")
    with pytest.raises(TenantStateError):
        acme.token("acme")
    with pytest.raises(TenantStateError):
        acme.tenancy.rotate_key("acme", overlap_s=0)
    acme.tenancy.suspend("acme")

    acme.tenancy.resume("acme")

    assert (tenant.state, closed) == (TenantState.SUSPENDED, "401")
    assert (settings["block_reads"], settings["jwt_key"]) == (True, acme.state.settings().closed_key)
    assert acme.ask("acme", token, "SELECT * FROM t") == "ok"
    assert acme.ask("acme", token, "INSERT INTO t VALUES (1)") == "ok"


def test_a_deleted_tenant_is_gone_with_its_database_and_keys(acme: TenantServer) -> None:
    """And with all that opened it; only its name stays, as taken."""
    acme.tenancy.create("globex")
    token = mint_token(acme.registry, acme.vault, tenant="acme", role=Role.RW, ttl_s=60, subject="ann")
    for name in ("acme", "globex"):
        acme.registry.requests.add(Request(name, "r1", "aa", "a row of its database", 1))

    tenant = acme.tenancy.delete("acme")

    assert tenant == acme.tenancy.delete("acme")
    assert tenant.state is TenantState.DELETED
    assert acme.ask("acme", token.token) == "404"
    assert acme.admin.settings("acme") is None
    assert keys_in_vault(acme, "acme") == set()
    assert [kept.revoked_at is not None for kept in acme.registry.tokens.of("acme")] == [True] * 2
    assert acme.registry.requests.find("acme", "r1") is None
    assert acme.registry.requests.find("globex", "r1") is not None
    assert acme.ask("globex", acme.token("globex")) == "ok"
    with pytest.raises(TenantStateError):
        acme.tenancy.create("acme")


def test_a_tenant_that_is_not_there_is_told(primary: TenantServer) -> None:
    """Whatever is asked of it."""
    for call in (primary.tenancy.suspend, primary.tenancy.resume, primary.tenancy.delete):
        with pytest.raises(NoTenantError):
            call("acme")
    with pytest.raises(NoTenantError):
        primary.tenancy.rotate_key("acme", overlap_s=0)


def test_sqld_is_brought_to_what_the_registry_says(acme: TenantServer) -> None:
    """As after a restore of either; who has no database is named."""
    acme.tenancy.create("globex")
    acme.tenancy.create("lost")
    acme.tenancy.suspend("globex")
    acme.admin.delete("lost")
    acme.admin.change("acme", {"jwt_key": SigningKey.generate().public_pem, "durability_mode": "relaxed"})
    acme.admin.change("globex", {"jwt_key": None, "block_reads": False})

    missing = acme.tenancy.settle()

    assert missing == ["lost"]
    assert acme.ask("acme", acme.token("acme")) == "ok"
    assert acme.database("acme")["durability_mode"] == "strong"
    assert (acme.ask("globex", None), acme.database("globex")["block_reads"]) == ("401", True)


def test_without_sqld_the_gateway_can_still_be_closed(acme: TenantServer) -> None:
    """The registry says it first; the same again, with sqld there, finishes it."""
    acme.server.stop()

    with pytest.raises(AdminUnreachableError) as raised:
        acme.tenancy.suspend("acme")

    assert acme.registry.keys.verifying(now=acme.now) == {}
    assert "same again" in raised.value.hint
    acme.server.start()
    acme.tenancy.suspend("acme")
    assert acme.database("acme")["block_writes"]


def test_another_sqld_on_the_port_gets_nothing_to_do(acme: TenantServer) -> None:
    """It does not take our key."""
    acme.admin._key = "another"

    with pytest.raises(AdminKeyError):
        acme.tenancy.rotate_key("acme", overlap_s=0)


def test_one_process_at_a_time_changes_tenants(acme: TenantServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one waits, and says so when it has waited long enough."""
    monkeypatch.setattr("sqld.tenants._LOCK_WAIT_S", 0.05)

    with acme.tenancy._changing(), pytest.raises(StateBusyError):
        acme.tenancy.suspend("acme")

    assert acme.registry.tenants.get("acme").state is TenantState.ACTIVE


def kill(primary: TenantServer, call: str, name: str, *, before: int) -> bool:
    """Call in another process that is killed before a step; False if it has no such step, and is done."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.sqld.killed", primary.state.directory, str(before), call, name],
        env={**os.environ, "TD_VAULT_KEY": primary.vault_key.text},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL)
    return done.returncode != 0


EXPECTED = {
    "create": TenantState.ACTIVE,
    "rotate": TenantState.ACTIVE,
    "suspend": TenantState.SUSPENDED,
    "resume": TenantState.ACTIVE,
    "delete": TenantState.DELETED,
}


@pytest.mark.parametrize("call", list(CALLS))
def test_what_was_killed_at_any_step_is_finished_by_the_same_call(primary: TenantServer, call: str) -> None:
    """No key is lost that sqld knows, and none is left behind."""
    step = 1
    while True:
        name = f"acme-{step}"
        if call != "create":
            primary.tenancy.create(name)
        if call == "resume":
            primary.tenancy.suspend(name)
        if not kill(primary, call, name, before=step):
            break

        CALLS[call](primary.tenancy, name)

        assert primary.registry.tenants.get(name).state is EXPECTED[call], step
        if EXPECTED[call] is TenantState.ACTIVE:
            assert primary.ask(name, primary.token(name)) == "ok", step
            (current,) = primary.registry.keys.in_state(name, KeyState.CURRENT)
            assert primary.database(name)["jwt_key"] == current.public_pem, step
        assert keys_in_vault(primary, name) == (set() if call == "delete" else {KeyState.CURRENT}), step
        step += 1
    assert step > 2


def test_a_key_that_was_lost_with_the_vault_is_told(acme: TenantServer) -> None:
    """A new one makes the tenant whole again."""
    (key,) = acme.registry.keys.of("acme")
    acme.vault.delete(vault_name("acme", key.id))

    with pytest.raises(Exception, match="not in the vault") as raised:
        acme.token("acme")
    acme.tenancy.rotate_key("acme", overlap_s=0)

    assert "rotate-key acme" in getattr(raised.value, "hint", "")
    assert acme.ask("acme", acme.token("acme")) == "ok"


def test_a_restarted_server_knows_its_tenants(acme: TenantServer) -> None:
    """Nothing is only in memory."""
    token = acme.token("acme")

    acme.server.stop()
    acme.server.start()

    assert acme.ask("acme", token, "SELECT * FROM t") == "ok"
    with State(acme.state.directory).registry() as registry:
        assert registry.tenants.get("acme").state is TenantState.ACTIVE
