"""A part of an input on its way in, and what became of it on its way out."""
