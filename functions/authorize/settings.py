"""The settings of the authorizer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


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
        """Read the settings; both are required, and the issuer must use HTTPS.

        Raises
        ------
        ValueError
            A value is absent or invalid; the message names the variable.
        """
        issuer, audience = environment.get("JWT_ISSUER", ""), environment.get("JWT_AUDIENCE", "")
        if not issuer.startswith("https://"):
            raise ValueError(f"JWT_ISSUER must start with https://, got {issuer!r}")
        if not audience:
            raise ValueError("JWT_AUDIENCE is required with AUTH=JWT")
        return cls(issuer, audience)
