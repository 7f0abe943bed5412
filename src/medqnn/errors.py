"""What medqnn raises when a user can mend the cause.

Every message is one line: what was given, what was expected, how to mend it. The command line
prints the message alone and exits with code 2.
"""


class MedqnnError(Exception):
    """Base of every error that a user can mend."""

    def __str__(self) -> str:
        """The message on one line: a file's name may hold line breaks and other control codes."""
        return "".join(
            letter if letter.isprintable() else letter.encode("unicode_escape").decode()
            for letter in super().__str__()
        )


class CircuitError(MedqnnError, ValueError):
    """A circuit that cannot be built, or tensors that do not fit it."""


class DataError(MedqnnError):
    """A data set that cannot be read, or not as asked."""


class RecipeError(MedqnnError):
    """A recipe with an unknown key or a value out of range."""


class EvaluationError(MedqnnError):
    """Predictions or maps from which a figure cannot be computed."""


class RunError(MedqnnError):
    """A run folder that cannot be written, read or resumed."""
