"""What can be broken on purpose: the families of faults, and one of each at a place of the demo's pipeline."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from simulation.checkout import CHECKOUT
from simulation.families import harmless, serving, source, stage
from simulation.families.family import Family, Place
from simulation.faults import Fault

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {family.name: family for family in (*source.FAMILIES, *stage.FAMILIES, *serving.FAMILIES)}
)
HARMLESS: Mapping[str, Family] = MappingProxyType({family.name: family for family in harmless.FAMILIES})

PLACES = {
    "unit-change": Place("raw_orders", "amount"),
    "null-burst": Place("raw_customers", "usual_amount"),
    "locale-parse": Place("raw_orders", "amount"),
    "category-remap": Place("raw_orders", "channel"),
    "new-category": Place("raw_orders", "channel"),
    "volume-drop": Place("raw_orders"),
    "covariate-shift": Place("raw_customers", "usual_amount"),
    "creeping": Place("raw_orders", "amount"),
    "subgroup": Place("raw_orders", "amount"),
    "masked": Place("raw_orders", "discount"),
    "dropped-column": Place("raw_customers", "tenure_days"),
    "renamed-column": Place("raw_orders", "items"),
    "type-change": Place("raw_customers", "age"),
    "duplicated-batch": Place("raw_orders"),
    "late-batch": Place("raw_customers"),
    "missing-source": Place("raw_customers"),
    "code-deploy": Place("fraud_features", "amount_per_item"),
    "mean-preserving-deploy": Place("fraud_features", "amount_vs_usual"),
    "config-change": Place("orders", "amount"),
    "toggle-change": Place("orders", "amount"),
    "join-fanout": Place("enriched_orders"),
    "join-mismatch": Place("enriched_orders"),
    "duplicated-rows": Place("orders"),
    "stale-features": Place("fraud_features"),
    "model-swap": Place("fraud"),
    "calibration-slope": Place("fraud"),
    "concept-shift": Place("fraud"),
    "feature-misses": Place("fraud"),
    "serving-skew": Place("fraud", "amount_log"),
}

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        name: FAMILIES[name].at(CHECKOUT, place, np.random.default_rng([11, number]))
        for number, (name, place) in enumerate(PLACES.items())
    }
)
