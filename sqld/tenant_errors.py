"""What can go wrong with tenants, and with what opens them.

```
SqldError
├── RegistryError           sqld_registry      the registry of the tenants cannot be read or written
├── TenantNameError         sqld_tenant_name   no tenant may be called so
├── NoTenantError           sqld_no_tenant     there is no tenant of this name
├── TenantStateError        sqld_tenant_state  the tenant is in a state in which this cannot be done
├── OrganisationError       invalid_input      no organisation has such an id
├── OrganisationTakenError  sqld_organisation  the organisation has another tenant
├── NamespaceTakenError     sqld_namespace     sqld has a database of this name that is no tenant's
├── NoTokenError            sqld_no_token      no token has this id
├── NoApiKeyError           sqld_no_api_key    no API key has this id
├── AmbiguousIdError        ambiguous_id       several ids begin like this
├── LifetimeError           invalid_input      nothing may hold for so short or so long
├── SubjectError            invalid_input      it does not say whom something is for
└── KeyLostError            sqld_key_lost      the private half of a tenant's key is not in the vault
```

Always true: no text of an error holds a token, a key or anything else that opens something.
"""

from pathlib import Path
from typing import Final

from sqld.errors import SqldError


class RegistryError(SqldError):
    """The registry of the tenants cannot be read or written; what was written before stands."""

    code = "sqld_registry"
    hint = "nothing was changed; mend the reason and try again, or put registry.db back from a backup"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"cannot use {self.path}: {self.reason}"


class TenantNameError(SqldError):
    """No tenant may be called so: the name is a folder, a namespace and the label of a host."""

    code = "sqld_tenant_name"
    hint = "use 2 to 39 of a-z, 0-9 and -, with a letter first and no - last; default is taken"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"no tenant may be called {self.name[:60]!a}"


class NoTenantError(SqldError):
    """There is no tenant of this name."""

    code = "sqld_no_tenant"
    hint = "td sqld tenant list shows those there are; td sqld tenant create makes one"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no tenant {self.name[:60]!a}"


_TENANT_HINTS: Final = {
    "creating": "finish it first: td sqld tenant create {}",
    "active": "nothing was changed; td sqld tenant show {} tells of it",
    "suspended": "nothing was changed; td sqld tenant resume {} opens it again",
    "deleting": "finish it: td sqld tenant delete {}",
    "deleted": "its name is not given away again; choose another",
}


class TenantStateError(SqldError):
    """The tenant is in a state in which this cannot be done; nothing was changed. state: which."""

    code = "sqld_tenant_state"

    def __init__(self, name: str, state: str) -> None:
        super().__init__(name, state)
        self.name, self.state = name, str(state)
        self.hint = _TENANT_HINTS[self.state].format(name)

    def __str__(self) -> str:
        return f"the tenant {self.name} is {self.state}"


class OrganisationError(SqldError):
    """What is given as an organisation is no id of one."""

    code = "invalid_input"
    hint = "give its id as WorkOS shows it, as org_01EHWNCE74X7JSDV0X3SZ3KJNY; nothing was changed"

    def __str__(self) -> str:
        return "no organisation has such an id"


class OrganisationTakenError(SqldError):
    """An organisation has one tenant, and this one has another. name: the tenant that was to be made."""

    code = "sqld_organisation"
    hint = "nothing was changed; td sqld tenant list shows which tenant it has"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"the organisation given for {self.name} has a tenant already"


class NoTokenError(SqldError):
    """No token was made here under this id."""

    code = "sqld_no_token"
    hint = "td sqld token list shows the ids; a token itself is none"

    def __init__(self, token_id: str) -> None:
        super().__init__(token_id)
        self.token_id = token_id

    def __str__(self) -> str:
        # Who gives a token instead of its id should not find it in a log.
        return f"there is no token {self.token_id!a}" if len(self.token_id) <= 40 else "there is no token of this id"


class NoApiKeyError(SqldError):
    """No API key was made here under this id."""

    code = "sqld_no_api_key"
    hint = "td sqld key list shows the ids; an API key itself is none"

    def __init__(self, key_id: str) -> None:
        super().__init__(key_id)
        self.key_id = key_id

    def __str__(self) -> str:
        # As for tokens.
        return f"there is no API key {self.key_id!a}" if len(self.key_id) <= 40 else "there is no API key of this id"


class AmbiguousIdError(SqldError):
    """Several ids begin with what was given; nothing was changed."""

    code = "ambiguous_id"

    def __init__(self, given: str, candidates: tuple[str, ...]) -> None:
        super().__init__(given, candidates)
        self.given, self.candidates = given, candidates
        self.hint = f"type more of it: {', '.join(candidates[:5])}"

    def __str__(self) -> str:
        return f"{len(self.candidates)} ids begin with {self.given!a}"


class LifetimeError(SqldError):
    """Nothing that opens a tenant holds for so short or so long."""

    code = "invalid_input"
    hint = "give from 1 second to 400 days, as 12h or 30d"

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"nothing is made that holds for {self.seconds} seconds"


class SubjectError(SqldError):
    """Whom something is for is not said, or at length."""

    code = "invalid_input"
    hint = "say whom or what it is for in 1 to 100 characters, so that whoever revokes it knows"

    def __str__(self) -> str:
        return "it is not said whom this is for"


class NamespaceTakenError(SqldError):
    """sqld has a database of this name already, and it is no tenant's."""

    code = "sqld_namespace"
    hint = "it was not touched; choose another name for the tenant"

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self.namespace = namespace

    def __str__(self) -> str:
        return f"sqld has a database {self.namespace} that was not made for this tenant"


class KeyLostError(SqldError):
    """The private half of a tenant's key is not in the vault: nothing can be signed with it."""

    code = "sqld_key_lost"

    def __init__(self, tenant: str) -> None:
        super().__init__(tenant)
        self.tenant = tenant
        self.hint = f"put the vault back from a backup, or make a new key: td sqld tenant rotate-key {tenant}"

    def __str__(self) -> str:
        return f"the key of the tenant {self.tenant} is not in the vault of this server"
