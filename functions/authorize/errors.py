"""The errors of the authorizer; a message names a reason and quotes nothing of a token or a key."""


class TokenRefused(Exception):
    """A token that is refused; API Gateway answers with 401."""


class IssuerUnavailable(TokenRefused):
    """A token that cannot be checked: the issuer's keys were never read; answered with 500."""
