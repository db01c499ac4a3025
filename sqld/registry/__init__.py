"""What a server knows of its tenants, their keys, and who may come in: one SQLite file, without a secret in it.

```python
with Registry.open(state / "registry.db") as registry:
    tenant = registry.tenants.find("acme")
    keys = registry.keys.verifying(now=time.time())
    claims = check(token, keys, now=time.time())
    kept = registry.tokens.find(claims.token_id)
```

Always true:
- of what opens something only the SHA-256 is here, and of keys only the public half;
- what returned is on the disk (WAL, synchronous FULL), and seen by every process at its next call;
- a connection may be used from several threads.
"""

from sqld.registry.api_keys import ApiKey, ApiKeys
from sqld.registry.keys import Key, Keys, KeyState
from sqld.registry.registry import Registry
from sqld.registry.requests import Request, Requests
from sqld.registry.tenants import Tenant, Tenants, TenantState
from sqld.registry.tokens import Token, Tokens

__all__ = [
    "ApiKey",
    "ApiKeys",
    "Key",
    "KeyState",
    "Keys",
    "Registry",
    "Request",
    "Requests",
    "Tenant",
    "TenantState",
    "Tenants",
    "Token",
    "Tokens",
]
