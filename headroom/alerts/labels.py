"""Which labels the result of an expression is sure to have."""

from collections.abc import Callable

from headroom.alerts.promql import (
    SET_OPERATORS,
    Aggregate,
    Binary,
    Call,
    Node,
    Number,
    PromqlError,
    Selector,
)

LabelsOf = Callable[[str], frozenset[str]]
"""The labels of a metric, by its name."""

_SCALARS = frozenset({"time", "scalar"})
_KEEPING = frozenset(
    {
        "rate", "increase", "deriv", "predict_linear", "last_over_time", "max_over_time", "min_over_time",
        "avg_over_time", "sum_over_time", "count_over_time", "clamp_min", "clamp_max", "abs",
    }
)  # fmt: skip


def result_labels(node: Node, labels_of: LabelsOf) -> frozenset[str] | None:
    """Return the labels that every series of the result has; None for a scalar.

    Raises PromqlError where sides cannot be matched: one of them would have several series for one of the
    other, which is an error only once such series exist.
    """
    match node:
        case Number():
            return None
        case Selector():
            return labels_of(node.metric)
        case Aggregate():
            below = result_labels(node.arguments[-1], labels_of) or frozenset()
            if unknown := set(node.by) - below:
                raise PromqlError(
                    f"groups by {', '.join(sorted(unknown))}, which is no label of what it groups"
                )
            return frozenset(node.by)
        case Call():
            return _call_labels(node, labels_of)
        case Binary():
            return _binary_labels(node, labels_of)


def _call_labels(node: Call, labels_of: LabelsOf) -> frozenset[str] | None:
    if node.function in _SCALARS:
        return None
    if node.function == "vector":
        return frozenset()
    vectors = [labels for each in node.arguments if (labels := result_labels(each, labels_of)) is not None]
    if node.function == "absent":
        return frozenset()
    if node.function in _KEEPING:
        return vectors[0]
    if node.function == "histogram_quantile":
        return vectors[0] - {"le"}
    if node.function == "label_replace" and isinstance(target := node.arguments[1], Number):
        return vectors[0] | {target.text.strip('"')}
    raise PromqlError(f"calls {node.function}, which the rules do without")


def _binary_labels(node: Binary, labels_of: LabelsOf) -> frozenset[str] | None:
    left, right = result_labels(node.left, labels_of), result_labels(node.right, labels_of)
    if left is None or right is None:
        return left if right is None else right
    if node.operator == "or":
        return left & right
    if node.operator in SET_OPERATORS:
        return _matched_left(node, left, right)
    if node.on is None:
        if left != right:
            raise PromqlError(f"has {node.operator} between other labels on each side; say on (...) which")
        return left
    on = frozenset(node.on)
    if right != on or (left != on and not node.grouped):
        raise PromqlError(
            f"matches on ({', '.join(node.on)}) sides with other labels: aggregate the right side to these, "
            "and the left one too or write group_left ()"
        )
    return left


def _matched_left(node: Binary, left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    if node.on is None and left != right:
        raise PromqlError(f"has {node.operator} between other labels on each side; say on (...) which")
    if missing := set(node.on or ()) - (left & right):
        raise PromqlError(f"has {node.operator} on {', '.join(sorted(missing))}, which one side has not")
    return left
