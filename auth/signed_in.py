"""Who is signed in here: the one sign-in of a profile, kept in a vault and renewed in time.

Always true:
- one process at a time uses the refresh token, inside a file lock, and only after reading again what is kept: such a
  token is good for one use;
- before WorkOS is asked, the vault holds that it was, so that a lost answer or a crash is told apart from a sign-in
  that ended, and a vault that cannot be written is found out while nothing is used up;
- new tokens are kept before anybody gets them;
- an access token that still holds is used when WorkOS is out of reach, and no process waits for another's renewal then.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auth.sign_in import SignIn
from auth.sign_in_errors import (
    NotSignedInError,
    SignInBusyError,
    SignInEndedError,
    SignInError,
    SignInLostError,
    WorkOSUnansweredError,
    WorkOSUnreachableError,
)
from auth.vault import Vault

# WorkOS answers a refresh token that it has just taken once more, with the same pair, for about 30 seconds, and wants
# whoever got no answer to ask again (AuthKit's guide, "Session resilience"). A request of ours takes 10 at the most.
_SAME_ANSWER_S: Final = 25.0
# Before each question, the first included.
_PAUSES_S: Final = (0.0, 0.5, 2.0)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The sign-in that is kept in `vault` under `account`.

    lock: a file for this alone; it is made where it is missing.
    clock: seconds since 1970. wait: called with seconds to wait, before WorkOS is asked again.
    wait_s: how long to wait for another process that renews, in seconds.

    Every method raises what the vault raises.
    """

    vault: Vault
    account: str
    lock: Path
    clock: Callable[[], float] = time.time
    wait: Callable[[float], None] = time.sleep
    wait_s: float = 60.0

    def read(self) -> SignIn | None:
        """What is kept, or None. Raises DamagedSignInError."""
        text = self.vault.read(self.account)
        return None if text is None else SignIn.from_text(text)

    def keep(self, sign_in: SignIn) -> None:
        """Keep a sign-in in place of what was there. Raises SignInBusyError."""
        with self._locked(self.wait_s):
            self._store(sign_in)

    def forget(self) -> None:
        """Forget the sign-in, after a renewal that runs just now. Raises SignInBusyError."""
        with self._locked(self.wait_s):
            self.vault.delete(self.account)

    def access_token(self, *, refused: str | None = None) -> str:
        """An access token that holds, renewed when its time is nearly over.

        Args:
            refused: the token that the primary has just answered 401 to, which is then not given again. Ask so once:
                a primary that refuses two in a row does not refuse them for their age.

        Raises:
            NotSignedInError: nobody is signed in.
            SignInEndedError: WorkOS ended the sign-in; SignInLostError: the answer to a renewal was lost.
            WorkOSUnreachableError: WorkOS is out of reach, and what is kept no longer holds.
            WorkOSRefusedError: WorkOS refuses for another reason.
            SignInBusyError: another process renews it and does not come to an end.
            DamagedSignInError: what is kept is no sign-in.
        """
        kept = self._kept()
        if not self._is_due(kept, refused):
            return kept.access_token
        holds = self._holds(kept, refused)
        try:
            with self._locked(0 if holds else self.wait_s):
                kept = self._kept()
                if not self._is_due(kept, refused):
                    return kept.access_token
                return self._renew(kept, refused)
        except SignInBusyError:
            if holds:
                return kept.access_token
            raise

    def _renew(self, kept: SignIn, refused: str | None) -> str:
        holds = self._holds(kept, refused)
        self._store(kept.asked(kept.asked_at or self.clock()))
        try:
            renewed = self._ask(kept)
        except SignInError as error:
            if not isinstance(error, SignInLostError | WorkOSUnansweredError):
                # WorkOS told us, or was not asked after all: no question is open.
                self._store(kept)
            if holds and isinstance(error, WorkOSUnreachableError):
                return kept.access_token
            raise
        self._store(renewed)
        return renewed.access_token

    def _ask(self, kept: SignIn) -> SignIn:
        """The next sign-in. An answer that was lost is asked for again while WorkOS would still give the same."""
        from auth.workos import renew  # noqa: PLC0415 - most calls find a token that holds

        began = self.clock()
        unanswered: WorkOSUnansweredError | None = None
        for pause_s in _PAUSES_S:
            if unanswered is not None:
                self.wait(pause_s)
                if self.clock() - began > _SAME_ANSWER_S:
                    break
            try:
                return renew(kept, clock=self.clock)
            except WorkOSUnansweredError as error:
                unanswered = unanswered or error
            except SignInEndedError as error:
                if unanswered is None and kept.asked_at is None:
                    raise
                raise SignInLostError(kept.asked_at or began) from error
            except SignInError:
                if unanswered is None:
                    raise
        assert unanswered is not None, "whoever comes here was not answered"
        raise unanswered

    def _kept(self) -> SignIn:
        kept = self.read()
        if kept is None:
            raise NotSignedInError
        return kept

    def _is_due(self, kept: SignIn, refused: str | None) -> bool:
        return kept.access_token == refused or self.clock() >= kept.renew_at

    def _holds(self, kept: SignIn, refused: str | None) -> bool:
        return kept.access_token != refused and self.clock() < kept.expires_at

    def _store(self, sign_in: SignIn) -> None:
        self.vault.store(self.account, sign_in.to_text())

    @contextmanager
    def _locked(self, wait_s: float) -> Iterator[None]:
        import filelock  # noqa: PLC0415 - most calls find a token that holds

        self.lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = filelock.FileLock(self.lock, timeout=wait_s, mode=0o600)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise SignInBusyError(wait_s) from error
        try:
            yield
        finally:
            lock.release()
