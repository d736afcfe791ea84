"""The error that the sandbox shows to a person."""


class SandboxError(Exception):
    """Something the user can mend; the message gives the cause and the remedy."""
