"""What can be broken on purpose in the demo's pipeline."""

from collections.abc import Mapping
from types import MappingProxyType

from simulation.columns import Floats, Table, number
from simulation.damage import clipped, estranged, nulled, recategorised, recomputed, renamed, repeated, scaled, thinned
from simulation.faults import Fault, Freeze, Misread, Reality, Release, Rerun, Rescore, Rewrite, Toggle

CUSTOMERS_DEPLOY = Release("customers", "code", "2.8.1", announced=True, ticks=-1)
ORDERS_DEPLOY = Release("orders", "code", "2.8.1", announced=True, ticks=-1)
FEATURES_DEPLOY = Release("fraud_features", "code", "3.4.1", announced=True)


def multiplied(features: Table) -> Floats:
    """Amount times items, where ``amount_per_item`` should be their ratio."""
    return number(features, "amount_per_item") * number(features, "items") ** 2


UNIT_CHANGE = Fault(
    name="unit-change",
    sentence="the shop starts to send order amounts in cents instead of euros",
    kind="SOURCE_DATA",
    component="raw_orders",
    column="amount",
    effects=(Rewrite("raw_orders", scaled("amount", 100.0)),),
    innocent=(CUSTOMERS_DEPLOY,),
)
NULL_BURST = Fault(
    name="null-burst",
    sentence="the CRM delivers a third of the customers without their usual amount",
    kind="SOURCE_DATA",
    component="raw_customers",
    column="usual_amount",
    effects=(Rewrite("raw_customers", nulled("usual_amount", 0.33)),),
    innocent=(ORDERS_DEPLOY,),
)
NEW_CATEGORY = Fault(
    name="new-category",
    sentence="a fifth of the orders come from a sales channel that nobody has seen before",
    kind="SOURCE_DATA",
    component="raw_orders",
    column="channel",
    effects=(Rewrite("raw_orders", recategorised("channel", "kiosk", 0.2)),),
    innocent=(CUSTOMERS_DEPLOY,),
)
VOLUME_DROP = Fault(
    name="volume-drop",
    sentence="two fifths of the orders no longer reach the ingestion",
    kind="SOURCE_DATA",
    component="raw_orders",
    effects=(Rewrite("raw_orders", thinned(0.4)),),
    innocent=(CUSTOMERS_DEPLOY,),
)
SCHEMA_CHANGE = Fault(
    name="schema-change",
    sentence="the shop renames a column, items to quantity, in a new version of its schema",
    kind="SCHEMA_CHANGE",
    component="raw_orders",
    column="items",
    effects=(Rewrite("raw_orders", renamed("items", "quantity")), Release("raw_orders", "schema", "5")),
    innocent=(CUSTOMERS_DEPLOY,),
)
CONFIG_CHANGE = Fault(
    name="config-change",
    sentence="a new configuration of the cleaning of orders caps every amount at 40",
    kind="CONFIG_CHANGE",
    component="orders",
    column="amount",
    effects=(
        Rewrite("orders", clipped("amount", 40.0)),
        Release("orders", "config", "18"),
        Toggle("orders", "cap_large_amounts", "on"),
    ),
    innocent=(CUSTOMERS_DEPLOY,),
)
CODE_DEPLOY = Fault(
    name="code-deploy",
    sentence="a new version of the feature code multiplies where it should divide: amount_per_item is wrong",
    kind="CODE_CHANGE",
    component="fraud_features",
    column="amount_per_item",
    effects=(
        Rewrite("fraud_features", recomputed("amount_per_item", multiplied)),
        Release("fraud_features", "code", "3.5.0", announced=True),
    ),
    innocent=(CUSTOMERS_DEPLOY,),
)
JOIN_MISMATCH = Fault(
    name="join-mismatch",
    sentence="the join reads customer ids in another format: most orders no longer find their customer",
    kind="JOIN",
    component="enriched_orders",
    effects=(Misread("enriched_orders", "customers", estranged("customer_id", 0.6)),),
    innocent=(FEATURES_DEPLOY,),
)
DUPLICATED_ROWS = Fault(
    name="duplicated-rows",
    sentence="the cleaning of orders reads its input twice after a retry: every row is there two times",
    kind="DUPLICATION",
    component="orders",
    effects=(Rewrite("orders", repeated(1.0)),),
    innocent=(CUSTOMERS_DEPLOY,),
)
DUPLICATED_BATCH = Fault(
    name="duplicated-batch",
    sentence="two schedulers run the ingestion: every batch of raw orders is written twice, with a few rows less",
    kind="DUPLICATION",
    component="raw_orders",
    effects=(Rerun("raw_orders", thinned(0.02)),),
    innocent=(CUSTOMERS_DEPLOY,),
)
STALE_FEATURES = Fault(
    name="stale-features",
    sentence="the features are no longer renewed: the model goes on with the last batch it got",
    kind="FEATURE_STALENESS",
    component="fraud_features",
    effects=(Freeze("fraud_features"),),
    innocent=(CUSTOMERS_DEPLOY,),
)
MODEL_SWAP = Fault(
    name="model-swap",
    sentence="a new model goes live that scores every order far too high",
    kind="MODEL_CHANGE",
    component="fraud",
    effects=(Rescore(shift=1.2), Release("fraud", "model", "2026-08", announced=True)),
    innocent=(CUSTOMERS_DEPLOY,),
)
CONCEPT_SHIFT = Fault(
    name="concept-shift",
    sentence="fraudsters find a new trick: orders look as ever, far more of them are fraud",
    kind="CONCEPT_SHIFT",
    component="fraud",
    effects=(Reality(shift=1.5),),
    innocent=(CUSTOMERS_DEPLOY,),
)

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            UNIT_CHANGE,
            NULL_BURST,
            NEW_CATEGORY,
            VOLUME_DROP,
            SCHEMA_CHANGE,
            CONFIG_CHANGE,
            CODE_DEPLOY,
            JOIN_MISMATCH,
            DUPLICATED_ROWS,
            DUPLICATED_BATCH,
            STALE_FEATURES,
            MODEL_SWAP,
            CONCEPT_SHIFT,
        )
    }
)
