"""Why a model's scores have no closed form."""


class NoClosedForm(Exception):
    """The scores are no sum over features or trees; the message is the end of a sentence."""
