"""`headroom schema`: the JSON Schema of stack files."""

import json

import typer


def schema() -> None:
    """Print the JSON Schema of stack files, for editors and checks.

    Example: headroom schema > stack.schema.json
    """
    from headroom.spec.schema import stack_file_schema

    typer.echo(json.dumps(stack_file_schema(), indent=2, sort_keys=True))
