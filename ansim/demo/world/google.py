"""Google's token endpoint (RFC 7523): a signed assertion of our service account for a short-lived access token."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ansim.demo.world.answer import Answer

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 3600  # seconds, of assertions and of access tokens
SKEW = 60  # seconds
AUDIENCE = "https://oauth2.googleapis.com/token"  # google-auth writes it, whatever the token_uri
PREFIX = "ya29."  # Google's access tokens start so


@dataclass(frozen=True)
class ServiceAccount:
    project: str
    email: str
    token_uri: str
    key: RSAPublicKey
    access_secret: bytes

    @classmethod
    def of(cls, credentials: dict[str, Any]) -> Self:
        private = load_pem_private_key(credentials["private_key"].encode(), password=None)
        if not isinstance(private, RSAPrivateKey):
            raise ValueError("private_key is no RSA key")
        return cls(
            project=credentials["project_id"],
            email=credentials["client_email"],
            token_uri=credentials["token_uri"],
            key=private.public_key(),
            # Derived, so that tokens outlive a restart of the world as they outlive one of Google's machines.
            access_secret=hashlib.sha256(credentials["private_key"].encode()).digest(),
        )

    def token(self, grant_type: str, assertion: str) -> Answer:
        """200 with an access token, or 400 with RFC 6749's error and Google's words for it."""
        if grant_type != GRANT:
            return _refused("unsupported_grant_type", f"Invalid grant_type: {grant_type}")
        try:
            claims = jwt.decode(assertion, self.key, algorithms=["RS256"], options=_SIGNATURE_ONLY)
        except jwt.PyJWTError:
            return _refused("invalid_grant", "Invalid JWT Signature.")
        if refusal := self._refusal(claims):
            return refusal
        now = int(time.time())
        access = jwt.encode({"sub": self.email, "iat": now, "exp": now + LIFETIME}, self.access_secret, "HS256")
        return Answer(200, {"access_token": PREFIX + access, "expires_in": LIFETIME - 1, "token_type": "Bearer"})

    def _refusal(self, claims: dict[str, Any]) -> Answer | None:
        now, issued, expires = time.time(), claims.get("iat"), claims.get("exp")
        if claims.get("iss") != self.email:
            return _refused("invalid_grant", "Invalid grant: account not found")
        if claims.get("aud") not in (self.token_uri, AUDIENCE):
            return _refused("invalid_grant", "Invalid JWT: Failed audience check.")
        if (
            not isinstance(issued, int | float)
            or not isinstance(expires, int | float)
            or issued > now + SKEW
            or expires < now - SKEW
            or expires - issued > LIFETIME
        ):
            return _refused(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                "Check your iat and exp values in the JWT claim.",
            )
        if not claims.get("scope"):
            return _refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return None

    def accepts(self, access_token: str) -> bool:
        """Whether we issued this access token within the hour."""
        try:
            jwt.decode(access_token.removeprefix(PREFIX), self.access_secret, algorithms=["HS256"])
        except jwt.PyJWTError:
            return False
        return access_token.startswith(PREFIX)


# Time, audience and issuer are checked by hand: Google has words of its own for each.
_SIGNATURE_ONLY: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}


def _refused(error: str, description: str) -> Answer:
    return Answer(400, {"error": error, "error_description": description})
