"""Measures the project against what it would cost without it."""
