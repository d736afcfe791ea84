"""Runs the program on mocks and returns what it asked the engine for."""

from infra.offline import NUMBER, Registered, record

__all__ = ["NUMBER", "Registered", "record"]
