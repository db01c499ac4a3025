"""Where tokens live between calls: the keyring of the operating system.

Always true:
- a token is kept only where it is encrypted; where there is no such place it is refused, never written in the clear;
- the keyring is imported when it is asked, not before: it costs more than all the rest of a short command.
"""

from typing import TYPE_CHECKING, Final

from auth.errors import KeyringError, NoKeyringError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_SERVICE: Final = "replica-toolkit td"


def store_token(account: str, token: str) -> None:
    """Keep `token` under the name `account`, in place of what was there.

    Raises:
        NoKeyringError: there is no keyring here that encrypts.
        KeyringError: it is locked, or refuses.
    """
    from keyring.errors import KeyringError as Refusal  # noqa: PLC0415 - see above

    try:
        _backend().set_password(_SERVICE, account, token)
    except Refusal as error:
        raise KeyringError(type(error).__name__) from error


def read_token(account: str) -> str | None:
    """The token kept under `account`, or None. Raises as `store_token` does."""
    from keyring.errors import KeyringError as Refusal  # noqa: PLC0415 - see above

    try:
        return _backend().get_password(_SERVICE, account)
    except Refusal as error:
        raise KeyringError(type(error).__name__) from error


def _backend() -> "KeyringBackend":
    import keyring  # noqa: PLC0415 - see above
    from keyring.errors import NoKeyringError as NoBackend  # noqa: PLC0415 - see above

    backend = keyring.get_keyring()
    # By the convention of keyring, what is below 1 is not recommended: nothing at all, or a file in the clear.
    try:
        is_real = backend.priority >= 1
    except (RuntimeError, NoBackend) as error:
        raise NoKeyringError from error
    if not is_real:
        raise NoKeyringError
    return backend
