"""What can go wrong with the Platform API of Turso Cloud.

```
TursoError                     turso_error            base of all; itself below SqldError
├── TursoSetupError            turso_setup            the organisation, a name or the address cannot be used
├── TursoTokenError            turso_token            the platform token is refused, or there is none
├── TursoRefusedError          turso_refused          Turso does not do it, and says why
├── TursoNotFoundError         turso_not_found        no such database, group or organisation
├── TursoExistsError           turso_exists           there is a database of that name already
├── TursoUnreachableError      turso_unreachable      no answer, or too much to do, for as long as we tried
├── TursoUnknownOutcomeError   turso_unknown_outcome  the answer was lost, so that it may be done or not
└── TursoAnswerError           turso_answer           an answer of another shape than the documented one
```

Always true: every error has a stable `code` and a `hint`, is one line, pickles, and holds no token.
"""

from typing import ClassVar

from sqld.errors import SqldError


class TursoError(SqldError):
    """Something is wrong with what Turso was asked, or with what it answered."""

    code: ClassVar[str] = "turso_error"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = " ".join(message.split())
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return self.message


class TursoSetupError(TursoError):
    """A name or an address that Turso cannot be asked with; it was not asked."""

    code = "turso_setup"


class TursoTokenError(TursoError):
    """The platform token is refused, or there is none."""

    code = "turso_token"
    hint = "make one with turso auth api-tokens mint NAME, and give it in TURSO_API_TOKEN"


class TursoRefusedError(TursoError):
    """Turso understood, and does not do it."""

    code = "turso_refused"
    hint = "nothing was done; mend what Turso says"


class TursoNotFoundError(TursoError):
    """There is no such database, group or organisation."""

    code = "turso_not_found"
    hint = "check the name and the organisation; td turso list shows the databases"


class TursoExistsError(TursoError):
    """There is a database of that name."""

    code = "turso_exists"
    hint = "nothing was done; use the one that is there, or choose another name"


class TursoUnreachableError(TursoError):
    """Turso did not answer, or had too much to do; what was asked was not done, or may be asked again."""

    code = "turso_unreachable"
    hint = "check the network, and try again in a moment; asking again does no harm"


class TursoUnknownOutcomeError(TursoError):
    """The answer to something that cannot be asked twice was lost."""

    code = "turso_unknown_outcome"


class TursoAnswerError(TursoError):
    """The answer is none that the documentation of the API tells."""

    code = "turso_answer"
    hint = "look at Turso's own console for what was done; the API may have changed"
