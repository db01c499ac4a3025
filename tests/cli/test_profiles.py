"""Profiles: to which primary one goes and as whom, and where each setting of a call comes from."""

import json
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import certifi
import platformdirs
import pytest

from cli.in_the_clear import find_secret
from cli.profiles import Auth, Profile, Profiles, change_profiles, load_profiles, profiles_path
from tests.cli.in_process import call, done
from tests.cli.program import Program

NOWHERE: Final = "http://127.0.0.1:1"
ELSEWHERE: Final = "http://127.0.0.1:2"
JWT: Final = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbm4ifQ.c2ln"
API_KEY: Final = "td_live_0123456789abcdefghijklmnopqrstuv"


def file_of(program: Program) -> Path:
    """Where its profiles are."""
    return profiles_path(program.environ | {"XDG_CONFIG_HOME": str(program.home / ".config")})


def config_of(program: Program) -> Path:
    """Where the directory keeps its settings."""
    return program.directory / ".todos" / "config.json"


def origins(program: Program, *args: str) -> dict[str, dict[str, str | None]]:
    """What counts, and where it comes from."""
    found: dict[str, dict[str, str | None]] = done(program, "config", "list", "--origin", *args, "--json").document()
    return found


@pytest.fixture
def work(fresh: Program) -> Program:
    """Somebody with two profiles, `work` in use, and a directory that was made with it."""
    done(fresh, "config", "profiles", "create", "work", "--url", NOWHERE)
    done(fresh, "config", "profiles", "create", "play", "--url", ELSEWHERE)
    done(fresh, "init")
    return fresh


def test_a_profile_is_made_used_shown_changed_and_deleted(fresh: Program) -> None:
    """The first one is in use at once; the file is for its owner only."""
    assert done(fresh, "config", "profiles", "create", "work", "--url", NOWHERE).out == "CREATED profile work\n"
    done(fresh, "config", "profiles", "create", "play", "--url", ELSEWHERE, "--mode", "remote")
    assert done(fresh, "config", "profiles", "list").out == (f"   play  none  {ELSEWHERE}\n*  work  none  {NOWHERE}\n")
    assert done(fresh, "config", "profiles", "use", "play").out == "USING profile play\n"
    assert done(fresh, "config", "profiles", "show", "--json").document()["mode"] == "remote"
    done(fresh, "config", "profiles", "create", "play", "--change", "--auth", "workos", "--client-id", "client_1")
    shown = done(fresh, "config", "profiles", "show", "--json").document()
    assert (shown["url"], shown["auth"], shown["workos_client_id"]) == (ELSEWHERE, "workos", "client_1")

    assert done(fresh, "config", "profiles", "delete", "play").out == "DELETED profile play\n"

    assert [one["name"] for one in done(fresh, "config", "profiles", "list", "--json").document()] == ["work"]
    assert stat.S_IMODE(file_of(fresh).stat().st_mode) == 0o600
    assert stat.S_IMODE(file_of(fresh).parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["create", "work"], "usage"),
        (["create", "new", "--change"], "invalid_input"),
        (["create", "new", "--url", "ftp://x"], "invalid_input"),
        (["create", "new", "--mode", "local"], "invalid_input"),
        (["create", "new", "--auth", "password"], "invalid_input"),
        (["create", "../new"], "invalid_input"),
        (["create", API_KEY], "invalid_input"),
        (["use", "nope"], "invalid_input"),
        (["show", "nope"], "invalid_input"),
        (["delete", "nope"], "invalid_input"),
    ],
)
def test_what_cannot_be_done_with_a_profile_changes_nothing(work: Program, args: list[str], code: str) -> None:
    """And is told in one line that repeats no secret."""
    before = file_of(work).read_bytes()

    answer = call(work, "config", "profiles", *args, "--json")

    assert (answer.code, answer.out, answer.error()["code"]) == (2, "", code)
    assert API_KEY not in answer.err
    assert file_of(work).read_bytes() == before


def test_the_place_of_the_file_is_that_of_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On Linux it is found without the library that knows it, whose import is dear."""

    def told_by_the_library() -> Path:
        return platformdirs.user_config_path("replica-toolkit", appauthor=False, roaming=True) / "profiles.json"

    for given in ("", str(tmp_path)):
        monkeypatch.setenv("XDG_CONFIG_HOME", given)
        assert profiles_path(os.environ) == told_by_the_library()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert profiles_path(os.environ) == told_by_the_library()


def test_two_who_change_profiles_at_once_both_do(tmp_path: Path) -> None:
    """None of them writes back what it had read before the other."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    names = [f"p{number}" for number in range(20)]

    def add(name: str) -> Profiles:
        return change_profiles(environ, lambda known: known.with_profile(name, Profile(url=NOWHERE)))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, names))

    assert sorted(load_profiles(environ).by_name) == sorted(names)


def test_a_profile_comes_back_from_the_file_as_it_was_written(tmp_path: Path) -> None:
    """Every setting of it."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    profile = Profile(Auth.WORKOS, NOWHERE, "remote", "/ca.pem", "client_1", "https://auth.example", "org_1", "file/ab")

    change_profiles(environ, lambda known: known.with_profile("work", profile))

    assert load_profiles(environ).by_name == {"work": profile}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"version": 2, "profiles": {}}',
        '{"version": 1, "current": "x", "profiles": {}}',
        '{"version": 1, "profiles": {"x": []}}',
        '{"version": 1, "profiles": {"x": {"auth": "magic"}}}',
        '{"version": 1, "profiles": {"x": {"auth": []}}}',
        '{"version": 1, "profiles": {"x": {"ulr": "http://127.0.0.1:1"}}}',
        '{"version": 1, "profiles": {"x": {"url": 7}}}',
        '{"version": 1, "profiles": {"a b": {}}}',
        '{"version": 1, "profiles": {"x": {"url": "http://127.0.0.1:1", "mode": "magic"}}}',
        '{"version": 1, "profiles": {"x": {"url": "no url"}}}',
        "\udcff",
    ],
)
def test_a_file_that_td_did_not_write_is_told_and_left_alone(work: Program, text: str) -> None:
    """And stops nothing where no profile is needed."""
    data = text.encode("utf-8", "surrogateescape")
    file_of(work).write_bytes(data)

    answer = call(work, "config", "profiles", "create", "new", "--json")

    assert (answer.code, answer.error()["code"]) == (1, "damaged")
    assert "profiles are made anew with td login" in answer.error()["hint"]
    assert file_of(work).read_bytes() == data
    done(work, "init", "--mode", "local", "-w", str(work.directory / "local"))
    done(work, "list", "-w", str(work.directory / "local"))


# -- what counts


def test_a_new_directory_takes_the_primary_of_the_profile_and_remembers_it(work: Program) -> None:
    """As if its URL had been typed; what is typed comes first."""
    assert json.loads(config_of(work).read_text()) == {"mode": "libsql", "url": NOWHERE, "profile": "work"}

    done(work, "init", "-w", str(work.directory / "other"), "--profile", "play")
    done(work, "init", "-w", str(work.directory / "typed"), "--url", "http://127.0.0.1:3")
    done(work, "init", "-w", str(work.directory / "same"), "--url", f"{NOWHERE}/")
    done(work, "init", "-w", str(work.directory / "local"), "--mode", "local")
    refused = call(work, "init", "-w", str(work.directory / "no"), "--profile", "play", "--url", NOWHERE, "--json")

    made = [
        json.loads((work.directory / name / ".todos/config.json").read_text())
        for name in ("other", "typed", "same", "local")
    ]
    assert made == [
        {"mode": "libsql", "url": ELSEWHERE, "profile": "play"},
        {"mode": "libsql", "url": "http://127.0.0.1:3"},
        {"mode": "libsql", "url": f"{NOWHERE}/", "profile": "work"},
        {"mode": "local"},
    ]
    assert (refused.code, refused.error()["code"]) == (2, "invalid_input")
    assert not (work.directory / "no").exists()


def test_the_option_comes_before_the_environment_the_directory_and_what_is_in_use(work: Program) -> None:
    """For the name of the profile."""
    done(work, "config", "profiles", "create", "third", "--url", NOWHERE)
    done(work, "config", "profiles", "use", "play")
    assert origins(work)["profile"] == {"value": "work", "origin": "project", "source": "config.json"}
    work.environ["TD_PROFILE"] = "play"
    assert origins(work)["profile"] == {"value": "play", "origin": "environment", "source": "TD_PROFILE"}
    assert origins(work, "--profile", "third")["profile"] == {
        "value": "third", "origin": "flag", "source": "--profile",
    }  # fmt: skip
    del work.environ["TD_PROFILE"]
    done(work, "config", "unset", "profile")
    assert origins(work)["profile"] == {"value": None, "origin": "default", "source": None}

    done(work, "config", "profiles", "use", "third")

    assert origins(work)["profile"] == {"value": "third", "origin": "default", "source": "td config profiles use"}


def test_a_setting_comes_from_the_environment_then_the_directory_then_the_profile(
    work: Program, tmp_path: Path
) -> None:
    """And what none of them has is the default; an override is never written back."""
    authority = tmp_path / "ca.pem"
    authority.write_bytes(Path(certifi.where()).read_bytes())
    assert origins(work)["ca_file"] == {"value": None, "origin": "default", "source": None}
    done(work, "config", "profiles", "create", "work", "--change", "--ca-file", str(authority))
    assert origins(work)["ca_file"] == {"value": str(authority), "origin": "profile", "source": "work"}
    before, profiles_before = config_of(work).read_bytes(), file_of(work).read_bytes()
    work.environ |= {
        "TD_DATABASE_URL": ELSEWHERE,
        "TD_DATABASE_MODE": "turso",
        "TD_DATABASE_CA_FILE": str(authority),
        "TD_DATABASE_TOKEN": "t0ken",
        "TD_PROFILE": "play",
    }

    found = origins(work)

    assert {name: (one["value"], one["source"]) for name, one in found.items()} == {
        "mode": ("turso", "TD_DATABASE_MODE"),
        "url": (ELSEWHERE, "TD_DATABASE_URL"),
        "ca_file": (str(authority), "TD_DATABASE_CA_FILE"),
        "profile": ("play", "TD_PROFILE"),
        "token": ("environment", "TD_DATABASE_TOKEN"),
    }
    assert {one["origin"] for one in found.values()} == {"environment"}
    done(work, "create", "Oat milk")
    done(work, "config", "set", "ca_file", str(authority))
    written = json.loads(config_of(work).read_text())
    assert written == json.loads(before) | {"ca_file": str(authority)}
    assert file_of(work).read_bytes() == profiles_before


def test_settings_are_told_to_people_with_where_they_come_from(work: Program) -> None:
    """In a table."""
    lines = [line.split() for line in done(work, "config", "list", "--origin").out.splitlines()]

    assert lines == [
        ["mode", "libsql", "project:", "config.json"],
        ["url", NOWHERE, "project:", "config.json"],
        ["ca_file", "-", "default"],
        ["profile", "work", "project:", "config.json"],
        ["token", "-", "default"],
    ]


@pytest.mark.parametrize(("mode", "code"), [("local", 2), ("magic", 2), ("turso", 0)])
def test_the_environment_names_another_mode_where_there_is_a_primary(work: Program, mode: str, code: int) -> None:
    """Not one in which what is here would not be seen."""
    work.environ["TD_DATABASE_MODE"] = mode

    answer = call(work, "list", "--json")

    assert answer.code == code
    assert answer.err == "" or answer.error()["message"].startswith("TD_DATABASE_MODE")


def test_a_local_directory_is_no_replica_by_the_environment(td: Program) -> None:
    """There is no primary; with a URL there is."""
    td.environ["TD_DATABASE_MODE"] = "libsql"
    assert call(td, "list", "--json").error()["code"] == "invalid_input"
    td.environ["TD_DATABASE_URL"] = NOWHERE

    assert done(td, "list", "--json").document() == []


def test_a_profile_that_is_not_there_is_told(work: Program) -> None:
    """At once where it is asked for; where it is remembered, reading goes on, and a sync says it."""
    for args in (["list", "--profile", "nope"], ["--profile", "nope", "list"], ["config", "set", "profile", "nope"]):
        answer = call(work, *args, "--json")
        assert (answer.code, answer.error()["code"]) == (2, "invalid_input")
        assert "there is no profile nope" in answer.error()["message"]
    done(work, "config", "profiles", "delete", "work")

    assert done(work, "list", "--json").document() == []
    answer = call(work, "sync", "--json")

    assert (answer.code, answer.error()["code"]) == (5, "not_allowed")
    assert answer.error()["hint"] == "td login --profile work makes it"


# -- secrets where they do not belong


def test_a_secret_that_somebody_wrote_into_a_file_is_refused(work: Program) -> None:
    """By name or by its looks, in both files; it is not repeated, and what to do is said."""
    config, profiles = json.loads(config_of(work).read_text()), json.loads(file_of(work).read_text())
    in_profile = replace_in(profiles, "url", JWT)
    cases: list[tuple[Path, Any]] = [
        (config_of(work), config | {"token": "s3cret"}),
        (config_of(work), config | {"database": {"Api-Key": "s3cret"}}),
        (config_of(work), config | {"note": JWT}),
        (config_of(work), config | {JWT: "x"}),
        (config_of(work), config | {"pwd": "s3cret"}),
        (file_of(work), profiles | {"secret": "s3cret"}),
        (file_of(work), replace_in(profiles, "password", "s3cret")),
        (file_of(work), replace_in(profiles, "organisation", API_KEY)),
        (file_of(work), in_profile),
    ]
    whole = {path: path.read_bytes() for path in (config_of(work), file_of(work))}
    for path, document in cases:
        path.write_text(json.dumps(document))

        answer = call(work, "list", "--json")

        error = answer.error()
        assert (answer.code, answer.out, error["code"]) == (1, "", "secret_in_config"), document
        assert str(path) in error["message"]
        assert "td login" in error["hint"]
        assert not any(secret in answer.err for secret in ("s3cret", JWT, API_KEY))
        path.write_bytes(whole[path])
    done(work, "list")


def replace_in(profiles: dict[str, Any], key: str, value: str) -> dict[str, Any]:
    """The document with a setting of the profile `work` replaced."""
    named = profiles["profiles"]
    return profiles | {"profiles": named | {"work": named["work"] | {key: value}}}


@pytest.mark.parametrize("option", ["--client-id", "--organisation"])
def test_td_writes_no_secret_into_the_file_itself(work: Program, option: str) -> None:
    """Whoever types one as a setting is told so."""
    before = file_of(work).read_bytes()

    answer = call(work, "config", "profiles", "create", "new", option, API_KEY, "--json")

    assert answer.error()["code"] == "secret_in_config"
    assert API_KEY not in answer.err
    assert file_of(work).read_bytes() == before


def test_what_is_no_secret_is_not_taken_for_one() -> None:
    """The names of what td itself writes, and what people call their things."""
    profile = Profile(Auth.TOKEN, NOWHERE, "libsql", "/etc/ca.pem", "client_01HZ", None, "org_01HR", "file/0123abcd")
    profiles = Profiles("tokens", {"tokens": profile, "secret-lab": replace(profile, auth=Auth.WORKOS)})

    assert find_secret({"current": profiles.current, "profiles": {
        name: {"auth": one.auth, "url": one.url, "credential": one.credential} for name, one in profiles.by_name.items()
    }}) is None  # fmt: skip
    assert find_secret({"token": None, "password": ""}) is None
