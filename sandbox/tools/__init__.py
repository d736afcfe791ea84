"""Go programs that the sandbox and the tests run: built once from modules whose versions are fixed here."""
