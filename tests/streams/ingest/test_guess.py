import polars as pl
import pytest

from streams.ingest import guess
from streams.ingest.problem import BadInput
from streams.ingest.values import Kind, kind_of

SCORED = pl.DataFrame(
    {
        "column_1": ["0", "1", "2"],
        "customer_id": ["7", "7", "8"],
        "prediction_id": ["a", "b", "c"],
        "loan_time": ["12", "24", "36"],
        "timestamp": ["2026-01-01 00:00:00", "2026-01-01 00:01:00", "2026-01-01 00:02:00"],
        "credit_score": ["640", "700", "720"],
        "y_pred_proba": ["0.1", "0.25", "0.9"],
        "y_pred": ["0", "0", "1"],
        "repaid": ["0", "1", "1"],
        "y_true": ["1", "0", "1"],
    }
)


def test_an_id_is_another_one_in_every_row() -> None:
    assert guess.an_id(SCORED, set()) == guess.Guessed("prediction_id", "an id by its name, another one in every row")
    assert guess.an_id(SCORED.select("customer_id", "repaid"), set()) is None
    found = guess.an_id(pl.DataFrame({"loanId": [1, 2]}), set())
    assert found is not None
    assert found.name == "loanId"


def test_a_time_must_be_a_time_in_every_row() -> None:
    found = guess.a_time(SCORED, set())
    assert found is not None
    assert found.name == "timestamp"
    assert guess.a_time(SCORED.drop("timestamp"), set()) is None
    assert guess.a_time(SCORED.with_columns(pl.lit("soon").alias("timestamp")), set()) is None


def test_a_time_by_another_name_is_found_by_its_dates() -> None:
    found = guess.a_time(pl.DataFrame({"x": ["1", "2"], "wann": ["2026-01-01", "2026-01-02"]}), set())
    assert found is not None
    assert found.name == "wann"


def test_a_score_is_within_zero_and_one() -> None:
    found = guess.a_score(SCORED, set())
    assert found is not None
    assert found.name == "y_pred_proba"
    assert guess.a_score(SCORED.select("credit_score", "y_pred"), set()) is None


def test_predicted_classes_outcomes_and_row_numbers_go_by_their_name() -> None:
    taken = {"y_pred_proba"}
    predicted = guess.a_predicted(SCORED, taken)
    assert predicted is not None
    assert predicted.name == "y_pred"
    assert guess.truths(SCORED, taken) == ["y_true"]
    assert guess.indexes(SCORED, taken) == ["column_1"]


def test_the_only_column_left_is_the_outcome() -> None:
    found = guess.an_outcome(SCORED.select("prediction_id", "repaid"), {"prediction_id"})
    assert found is not None
    assert found.name == "repaid"


def test_listed_columns_may_be_separated_by_commas_and_must_exist() -> None:
    frame = pl.DataFrame({"a": [1], "b": [1], "c,d": [1]})
    assert guess.listed(frame, ["a,b", "c,d", "a"], "t.csv") == ["a", "b", "c,d"]
    with pytest.raises(BadInput, match=r"t\.csv has no column 'z'; it has a, b"):
        guess.listed(frame, ["a,z"], "t.csv")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", " 2.5", "", "NaN", "1e5", "-inf"], Kind.NUMBER),
        (["True", "false", ""], Kind.BOOLEAN),
        (["2026-01-01", "2026-01-02T00:00:00Z"], Kind.TIME),
        (["1", "two"], Kind.TEXT),
        (["10%", "20%"], Kind.TEXT),
        (["", ""], Kind.NUMBER),
        (["1"] * 50 + ["typo"], Kind.NUMBER),
        (["1"] * 5 + ["XL"], Kind.TEXT),
        ([1, None], Kind.NUMBER),
        ([True, None], Kind.BOOLEAN),
        ([None, None], Kind.NUMBER),
    ],
)
def test_a_kind_is_what_the_values_agree_with(values: list[object], kind: Kind) -> None:
    assert kind_of(pl.Series(values)) is kind
