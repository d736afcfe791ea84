"""The table of behaviours names tests that exist."""

import re
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parents[2] / "sandbox" / "README.md"
ROW = re.compile(r"^\| (.+) \| (.+) \| `((?:apis/|../provider/)?test_\w+\.py)::(test_\w+)` \|$", re.MULTILINE)


def test_every_behaviour_has_a_source_and_a_test_that_exists() -> None:
    section = README.read_text(encoding="utf-8").partition("## Imitation of Google Cloud")[2]
    table = section.partition("| --- | --- | --- |\n")[2].partition("\n\n")[0]
    rows = ROW.findall(table)

    assert len(rows) == len(table.splitlines()) > 25
    for behaviour, source, file, name in rows:
        assert source.strip(), behaviour
        assert f"def {name}(" in (HERE / file).read_text(encoding="utf-8"), behaviour
