"""The columns of a model's windows: its scores under a name of ours, and features, one of which may bear that name."""

from typing import Final

SCORE: Final = "score"
OF_FEATURE: Final = " (feature)"


def column_of(feature: str) -> str:
    """The column that holds a feature: of its name, with a mark where that would be taken for the scores.

    >>> column_of("amount"), column_of("score"), column_of("score (feature)")
    ('amount', 'score (feature)', 'score (feature) (feature)')
    """
    return feature + OF_FEATURE if _alike(feature) else feature


def feature_of(column: str) -> str:
    """The feature that a column holds; empty for the scores.

    >>> feature_of("amount"), feature_of("score (feature)"), feature_of("score")
    ('amount', 'score', '')
    """
    if column == SCORE:
        return ""
    return column.removesuffix(OF_FEATURE) if _alike(column) else column


def _alike(name: str) -> bool:
    return name.replace(OF_FEATURE, "") == SCORE
