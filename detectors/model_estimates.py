"""What outcomes would say of a model, before they are in."""

from detectors.estimated import SUPPORTED, estimate, support
from detectors.model_state import ModelState
from detectors.performance import meaning_of
from detectors.window import PredictionsSummary


def estimates(state: ModelState, window: PredictionsSummary) -> dict[str, float]:
    """Accuracy and area under the curve of the window, without outcomes."""
    if state.task == "REGRESSION":
        return {}
    meaning = meaning_of(state.performance)
    alone = estimate(window.shelves, meaning, top_class=state.task == "MULTICLASS")
    if alone:
        alone["support_ratio"] = support(window.shelves, meaning)
    return {f"estimated_{name}": value for name, value in alone.items()}


def recently(state: ModelState) -> dict[str, float]:
    """The same of late, with the outcomes that are in.

    Valid once it is learnt what scores mean, while calibration holds, and where scores are such as were given before.
    """
    if state.task == "REGRESSION":
        return {}
    lately, bank = state.recent, state.performance.overall
    top, meaning = state.task == "MULTICLASS", meaning_of(state.performance)
    shown = estimate(lately.missing, meaning, top_class=top, known=lately.known)
    if not shown:
        return {}
    valid = bank.alarm is None and bank.healthy.rows > 0 and support(lately.missing, meaning) >= SUPPORTED
    return {f"recent_{name}": value for name, value in shown.items()} | {"estimated_valid": float(valid)}
