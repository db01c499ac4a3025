"""Who you are, and where your secrets live.

| module | what for |
|---|---|
| `vault` | keep a secret, by name: in the OS keyring, or in an encrypted file |
| `file_vault`, `vault_key` | that file itself, and what opens it |
| `workos`, `sign_in`, `signed_in` | sign a person in with WorkOS, what comes of it, and keeping it renewed |
| `tokens`, `api_keys` | make and check what opens a tenant's database |
| `workos_tokens` | check what somebody who signed in with WorkOS shows to a server |
| `environment` | what other programs get of the environment |
| `errors`, `sign_in_errors`, `token_errors` | what can go wrong |

Always true: each is imported by who needs it, because some cost a second to import and others nothing.
"""

__all__ = [
    "api_keys",
    "environment",
    "errors",
    "file_vault",
    "sign_in",
    "sign_in_errors",
    "signed_in",
    "token_errors",
    "tokens",
    "vault",
    "vault_key",
    "workos",
    "workos_tokens",
]
