import pytest

from detectors.finding import Finding
from diagnosis.alert import Cause, CauseKind, Hop, Impact, Onset, StageOfDiagnosis, Status, Verdict
from diagnosis.wording import Story, Texts, tell

AT = 1_700_000_000_000_000


def finding(name: str, statistic: str = "location", column: str | None = "amount", nats: float = 30.0) -> Finding:
    return Finding(
        subject=f"shop/{name}",
        statistic=statistic,
        column=column,
        evidence_nats=nats,
        alarm_batch_id="b1",
        alarm_at=AT,
        onset_earliest=AT,
        onset_latest=AT,
        sentence=f"{statistic} of {column or name} moved",
    )


def words(kind: CauseKind, component: str, route: tuple[str, ...] = (), *findings: Finding) -> Texts:
    return tell(
        Story(
            status=Status.FIRING,
            stage=StageOfDiagnosis.DIAGNOSED,
            cause=Cause(kind=kind, component=component, confidence=0.85, evidence=("it is so", "and so")),
            onset=Onset(earliest=AT, latest=AT, batch_id="b1"),
            last_good=None,
            path=tuple(Hop(pipeline="shop", dataset=name, batch_id="b1", verdict=Verdict.INHERITED) for name in route),
            symptoms=findings,
            impact=Impact(models=("loan",), predictions_affected=25_000, share_of_predictions=0.5),
        )
    )


@pytest.mark.parametrize("kind", list(CauseKind))
def test_every_kind_has_a_title_a_summary_and_something_to_do_now(kind: CauseKind) -> None:
    told = words(kind, "orders", ("orders", "loan"), finding("orders"))
    assert "orders" in told.title
    assert told.next_steps
    assert "{" not in told.title + told.summary + "".join(told.next_steps)


def test_a_name_at_the_beginning_of_a_title_stays_as_it_is_written() -> None:
    assert words(CauseKind.DUPLICATION, "raw_orders").title == "raw_orders holds duplicated data"
    assert words(CauseKind.SOURCE_DATA, "raw_orders", (), finding("raw_orders")).title.startswith("Source data of")


def test_a_model_called_as_its_features_is_named_once_on_the_way() -> None:
    assert "along raw → loan." in words(CauseKind.SOURCE_DATA, "raw", ("raw", "loan", "loan")).summary
    assert "along" not in words(CauseKind.SERVING_SKEW, "loan", ("loan", "loan")).summary


def test_the_summary_begins_with_the_origin_and_then_the_furthest_effect() -> None:
    found = (finding("clean", nats=90.0), finding("raw"), finding("loan", "score_location", None))
    told = words(CauseKind.SOURCE_DATA, "raw", ("raw", "clean", "loan"), *found)
    assert told.summary.startswith("raw: location of amount moved. loan: score_location of loan moved.")
    assert "1 further finding belongs to it." in told.summary


def test_an_onset_known_to_the_second_is_one_time() -> None:
    assert "It began at 2023-11-14 22:13:20 UTC (first bad batch b1)." in words(CauseKind.JOIN, "joined").summary


def test_nobody_is_told_to_score_again_what_no_repair_makes_better() -> None:
    again = "Score the 25,000 affected predictions again once it is fixed."
    assert again in words(CauseKind.SOURCE_DATA, "raw").next_steps
    assert again not in words(CauseKind.CONCEPT_SHIFT, "loan").next_steps
