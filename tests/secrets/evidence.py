"""What came out of td while it worked with planted secrets: what it printed, wrote and started.

A planted secret can be told from every other text.
"""

import json
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from auth.file_vault import FileVault
from auth.vault_key import VaultKey
from sqld import find_sqld
from sqld.state import ADMIN_KEY, GATEWAY_ADMIN_KEY, State
from tests.cli.in_process import call
from tests.cli.program import Answer, Program
from tests.cli.test_sqld_tenants import first_document
from tests.secrets.spies import Spies, real


@dataclass
class Evidence:
    """root: below it lies every file that was written. printed: by what call. secrets: planted, or made."""

    root: Path
    spies: Spies
    secrets: dict[str, str] = field(default_factory=dict)
    printed: dict[str, bytes] = field(default_factory=dict)
    command_lines: set[bytes] = field(default_factory=set)

    def plant(self, name: str) -> str:
        """A new secret that can be told from every other text."""
        return self.secrets.setdefault(name, f"{name.replace(' ', '-')}-{secrets.token_hex(24)}")

    def program(self, name: str, environ: Mapping[str, str]) -> Program:
        """A td of somebody, whose every program is a spy."""
        program = Program(self.root / name, environ)
        program.environ["PATH"] = f"{self.spies.directory}:{program.environ['PATH']}"
        program.environ["TD_SQLD"] = str(self.spies.directory / "sqld")
        return program

    def ask(self, program: Program, *args: str, shown: str = "") -> Answer:
        """The same within this process, which is quicker."""
        return self._keep(call(program, *args), args, shown)

    def call(self, program: Program, *args: str, shown: str = "", **options: Any) -> Answer:  # as of Program
        """Run td, and keep what it prints. shown: what it is asked to print, which is a secret from then on."""
        return self._keep(program(*args, **options), args, shown)

    def _keep(self, answer: Answer, args: Sequence[str], shown: str) -> Answer:
        text = answer.out + answer.err
        if shown:
            document = json.loads(answer.out)
            found = next(document[name] for name in ("token", "api_key", "key") if name in document)
            text = text.replace(found, "")
            # Of a token the first parts are the same for many, and are no secret.
            self.secrets[shown] = found.rpartition(".")[2]
            document["shown"] = found
            answer = Answer(answer.code, json.dumps(document), answer.err)
        self.printed[f"{len(self.printed)} td {' '.join(args)}"] = text.encode()
        return answer

    @classmethod
    def below(cls, folder: Path, **programs: Path) -> Self:
        """Nothing yet. folder: an empty one. programs: which are to be spies, besides the usual ones."""
        programs |= {"git": real("git"), "cat": real("cat"), "sqld": find_sqld()}
        (folder / "all").mkdir()
        return cls(folder / "all", Spies.of(folder / "spies", programs))

    def given(self) -> dict[str, str]:
        """What td may find in the environment."""
        key = VaultKey.generate().text
        self.secrets[f"vault key {len(self.secrets)}"] = key
        return {
            "TD_VAULT_KEY": key,
            "TURSO_API_TOKEN": self.plant("turso token"),
            "WORKOS_API_KEY": self.plant("workos key"),
        }

    def note_keys(self, state: Path, key: str, tenants: Sequence[str]) -> None:
        """Note as secrets what is in the vault of a server: its own keys, and the private keys of these tenants."""
        vault = FileVault(State(state).vault_path, VaultKey.parse(key))
        for name in (ADMIN_KEY, GATEWAY_ADMIN_KEY):
            self.secrets[name] = vault.read(name) or ""
        with State(state).registry() as registry:
            names = [f"tenant/{key.tenant}/{key.id}" for tenant in tenants for key in registry.keys.of(tenant)]
        for name in names:
            pem = vault.read(name)
            if pem is not None:
                # What is between the first line and the last; its beginning says only what kind of key it is.
                self.secrets[name] = pem.splitlines()[1][-43:]

    @contextmanager
    def running(self, program: Program, *args: str) -> Iterator[dict[str, Any]]:
        """A td that runs while the block does; what it says when it answers."""
        process = program.start(*args, "--json")
        document = first_document(process)
        try:
            yield document
        finally:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
            self.printed[f"{len(self.printed)} td {' '.join(args)}"] = json.dumps(document).encode() + out + err
