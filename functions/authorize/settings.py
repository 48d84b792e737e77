"""The settings of the authorizer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the authorizer.

    Attributes
    ----------
    jwt_issuer : str
        ``JWT_ISSUER``: the issuer of the tokens, equal to their claim ``iss``.
    jwt_audience : str
        ``JWT_AUDIENCE``: the audience of the tokens, in their claim ``aud`` or ``client_id``.
    """

    jwt_issuer: str
    jwt_audience: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; both are required.

        Raises
        ------
        ValueError
            A value is absent or invalid; the message names the variable.
        """
        issuer, audience = environment.get("JWT_ISSUER", ""), environment.get("JWT_AUDIENCE", "")
        if not _is_issuer(issuer):
            raise ValueError(
                "JWT_ISSUER must be the https:// address of the issuer, as the claim iss of its "
                "tokens names it, without query, fragment and /.well-known; "
                f"got {issuer!r}. Set the parameter JwtIssuer."
            )
        if not audience or audience != audience.strip():
            raise ValueError(
                "JWT_AUDIENCE must be the audience, or client id, that the tokens name in aud or "
                f"client_id, without blanks around it; got {audience!r}. Set the parameter "
                "JwtAudience."
            )
        return cls(issuer, audience)


def _is_issuer(address: str) -> bool:
    """Return whether an address can be an OpenID Connect issuer's."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port  # raises where it is no number up to 65,535
    except ValueError:
        return False
    plain = address.isascii() and address.isprintable() and " " not in address
    excess = "?" in address or "#" in address or "@" in parts.netloc or "/.well-known/" in address
    return parts.scheme == "https" and bool(host) and plain and not excess
