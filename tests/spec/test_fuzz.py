"""Whatever a stack file holds, it gets a plan or a message: no traceback, and nothing of what it held."""

from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headroom.planning.plan import plan_config
from headroom.spec.errors import StackFileError
from headroom.spec.stack_file import load_config

SECRET = "hunter2-Tr0ub4dor"
ROOT = Path(__file__).resolve().parents[2]
VALID = {stack: load_config(ROOT / f"Pulumi.{stack}.yaml") for stack in ("dev", "prod")}

strange = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary(max_size=5),
    st.just(SECRET), st.just(10**30), st.just(-(10**30)), st.just(float("nan")),
    st.dictionaries(st.one_of(st.text(max_size=8), st.integers()), st.integers(), max_size=3),
    st.lists(st.text(max_size=5), max_size=3), st.just([[[]]]), st.just({SECRET: {SECRET: SECRET}}),
    st.just({"secure": SECRET}),
)  # fmt: skip


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(found for key, child in children for found in paths_of(child, (*path, key)))]


def refusal_of(config: dict[str, Any], stack: str) -> StackFileError | None:
    try:
        plan_config(config, stack, f"Pulumi.{stack}.yaml")
    except StackFileError as error:
        return error
    return None


def unreadable(path: Path) -> StackFileError | None:
    try:
        load_config(path)
    except StackFileError as error:
        return error
    return None


PATHS = [(stack, path) for stack, config in VALID.items() for path in paths_of(config) if path]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


@settings(max_examples=600)
@given(st.sampled_from(PATHS), strange)
def test_any_value_anywhere_is_accepted_or_refused_in_words(
    place: tuple[str, tuple[Any, ...]], value: Any
) -> None:
    stack, path = place
    refusal = refusal_of(replaced(VALID[stack], path, value), stack)
    assert refusal is None or refusal.problems
    messages = [problem.message for problem in refusal.problems] if refusal else []
    assert all(SECRET not in message and message.isprintable() for message in messages)


@settings(max_examples=300)
@given(st.sampled_from(PATHS), st.text(max_size=12).filter(bool))
def test_a_key_that_is_not_known_is_refused_everywhere(place: tuple[str, tuple[Any, ...]], key: str) -> None:
    stack, path = place
    parent = VALID[stack]
    for part in path[:-1]:
        parent = parent[part]
    if not isinstance(parent, dict) or key in parent:
        return
    changed = replaced(VALID[stack], path[:-1], {**parent, f"headroom:{key}" if len(path) == 1 else key: {}})
    assert refusal_of(changed, stack) is not None or path[-2] == "labels"


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode), st.builds(
    lambda value: yaml.safe_dump({"config": value}, allow_unicode=True).encode(),
    st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)),
                 lambda inner: st.one_of(st.lists(inner, max_size=3),
                                         st.dictionaries(st.text(max_size=10), inner, max_size=3))),
)))  # fmt: skip
def test_any_file_is_read_or_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "Pulumi.fuzz.yaml"
    path.write_bytes(content)
    refusal = unreadable(path) or refusal_of(load_config(path), "fuzz")
    assert refusal is not None
    assert all(line.startswith("Pulumi.fuzz.yaml: ") for line in str(refusal).splitlines())
