"""Why a token opens nothing.

```
TokenError                    token
├── MalformedTokenError       token_malformed     it is no token at all
├── TokenAlgorithmError       token_algorithm     unsigned, or signed in a way that is not ours
├── UnknownKeyError           token_unknown_key   signed with a key that is not, or no longer, one of ours
├── BadSignatureError         token_signature     its signature is not that of the key it names
├── TokenClaimError           token_claim         a claim is missing, or is nothing that we would have put there
├── TokenExpiredError         token_expired       its time is over
└── TokenEarlyError           token_early         its time has not come: the clocks differ
```

Always true: no text of an error holds a token, or what a token says.
"""

from auth.errors import TokenError


class MalformedTokenError(TokenError):
    """It is not a JWT in the compact form (RFC 7519, RFC 7515 section 3.1), or no API key of ours."""

    code = "token_malformed"
    hint = "give the token whole, as it was handed out: one line without spaces"

    def __str__(self) -> str:
        return "this is not a token"


class TokenAlgorithmError(TokenError):
    """It is unsigned, or signed with something else than Ed25519."""

    code = "token_algorithm"

    def __str__(self) -> str:
        return "the token is not signed with Ed25519"


class UnknownKeyError(TokenError):
    """It names a key that is not, or no longer, one of ours."""

    code = "token_unknown_key"
    hint = "its key was rotated away or never ours: ask for a new token (td sqld token mint)"

    def __str__(self) -> str:
        return "the token is signed with a key that does not hold here"


class BadSignatureError(TokenError):
    """It was changed after it was signed, or signed with another key than it names."""

    code = "token_signature"

    def __str__(self) -> str:
        return "the signature of the token is wrong"


class TokenClaimError(TokenError):
    """A claim is missing, or is nothing that we would have put there. claim: its name in the token."""

    code = "token_claim"

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim

    def __str__(self) -> str:
        return f"the token has no usable claim {self.claim!r}"


class TokenExpiredError(TokenError):
    """Its time is over."""

    code = "token_expired"
    hint = "ask for a new one: td sqld token mint; what you wrote meanwhile waits and is kept"

    def __str__(self) -> str:
        return "the token has expired"


class TokenEarlyError(TokenError):
    """It was made in the future, by the clock of this machine."""

    code = "token_early"
    hint = "set the clocks of both machines right; the same token holds then"

    def __str__(self) -> str:
        return "the token is not valid yet"
