"""The error of scores that have no closed form."""


class NoClosedForm(Exception):
    """The scores are not a sum over features or trees; the message is the end of a sentence."""
