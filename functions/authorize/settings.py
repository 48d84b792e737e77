"""What the authorizer is told, read once from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the authorizer.

    Attributes
    ----------
    jwt_issuer : str
        ``JWT_ISSUER``: who signs the tokens, as their claim ``iss`` names it.
    jwt_audience : str
        ``JWT_AUDIENCE``: what their claim ``aud``, or ``client_id``, must name.
    """

    jwt_issuer: str
    jwt_audience: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; each is required, and the issuer speaks HTTPS.

        Raises
        ------
        ValueError
            A value is absent or has no sense; the message names the setting.
        """
        issuer, audience = environment.get("JWT_ISSUER", ""), environment.get("JWT_AUDIENCE", "")
        if not issuer.startswith("https://"):
            raise ValueError("JWT_ISSUER must be an address that starts with https://")
        if not audience:
            raise ValueError("JWT_AUDIENCE must name whom the tokens are for")
        return cls(issuer, audience)
