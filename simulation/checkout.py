"""The demo's pipeline: a web shop scores every order for fraud; chargebacks tell later what was."""

import numpy as np

from simulation.columns import Floats, Table, category, number
from simulation.draws import Choice, Counts, Exponential, LogNormal, Normal, Sometimes
from simulation.model import Model, Term
from simulation.pipeline import Pipeline, Population
from simulation.stages import Clean, Derive, Events, Headers, Join, Profiles

COUNTRIES = {"DE": 0.46, "FR": 0.18, "NL": 0.14, "GB": 0.12, "US": 0.10}
ORDER = ("customer_id", "amount", "items", "discount", "channel", "card_country")
CUSTOMER = ("customer_id", "age", "tenure_days", "usual_amount", "home_country")


def amount_log(table: Table) -> Floats:
    """Order of magnitude of the amount."""
    return np.log1p(number(table, "amount"))


def amount_vs_usual(table: Table) -> Floats:
    """How unusual the amount is for this customer: logarithm of the ratio."""
    return np.log(np.maximum(number(table, "amount"), 0.01) / number(table, "usual_amount"))


def amount_per_item(table: Table) -> Floats:
    """What one item cost."""
    return number(table, "amount") / number(table, "items")


def tenure_log(table: Table) -> Floats:
    """Order of magnitude of how long the customer is known."""
    return np.log1p(number(table, "tenure_days"))


def abroad(table: Table) -> Floats:
    """1 if the card was issued in another country than the customer's, NaN if either is unknown."""
    card, home = category(table, "card_country"), category(table, "home_country")
    card_names, home_names = np.array([*card.dictionary, ""]), np.array([*home.dictionary, ""])
    differs = card_names[card.codes] != home_names[home.codes]
    return np.where((card.codes < 0) | (home.codes < 0), np.nan, differs.astype(float))


CHECKOUT = Pipeline(
    name="checkout",
    owner="payments",
    population=Population(
        key="customer_id",
        size=50_000,
        columns={
            "age": Normal(41.0, 12.0),
            "tenure_days": Exponential(600.0),
            "usual_amount": LogNormal(45.0, 0.5),
            "home_country": Choice(COUNTRIES),
        },
    ),
    sources=(
        Events(
            dataset="raw_orders",
            system="shop-db",
            key="customer_id",
            columns={
                "amount": Sometimes(LogNormal(42.0, 0.8), 0.004),
                "items": Counts(2.4, least=1),
                "discount": Sometimes(Exponential(4.0), 0.03),
                "channel": Choice({"web": 0.55, "app": 0.35, "phone": 0.10}),
                "card_country": Sometimes(Choice(COUNTRIES), 0.01),
            },
            headers=Headers(code_version="5.1.0", schema_version="4", host="ingest-1"),
        ),
        Profiles(
            dataset="raw_customers",
            system="crm",
            late=0.005,
            headers=Headers(code_version="5.1.0", schema_version="9", host="ingest-2"),
        ),
    ),
    stages=(
        Clean(
            dataset="orders",
            parent="raw_orders",
            columns=ORDER,
            required=("amount",),
            fill={"discount": 0.0},
            headers=Headers(
                code_version="2.8.0", config_version="17", host="etl-1", toggles={"cap_large_amounts": "off"}
            ),
        ),
        Clean(
            dataset="customers",
            parent="raw_customers",
            columns=CUSTOMER,
            headers=Headers(code_version="2.8.0", config_version="17", host="etl-1"),
        ),
        Join(
            dataset="enriched_orders",
            left="orders",
            right="customers",
            key="customer_id",
            headers=Headers(code_version="1.12.3", host="etl-2"),
        ),
        Derive(
            dataset="fraud_features",
            parent="enriched_orders",
            columns={
                "amount_log": amount_log,
                "amount_vs_usual": amount_vs_usual,
                "amount_per_item": amount_per_item,
                "tenure_log": tenure_log,
                "abroad": abroad,
            },
            carried=("age", "items", "channel"),
            headers=Headers(code_version="3.4.0", feature_version="12", host="etl-2"),
        ),
    ),
    model=Model(
        name="fraud",
        reads="fraud_features",
        bias=-1.9,
        terms={
            "amount_log": Term(0.5, 3.77, 0.78),
            "amount_vs_usual": Term(0.8, -0.07, 0.94),
            "amount_per_item": Term(0.3, 22.0, 22.0),
            "tenure_log": Term(-0.5, 5.8, 1.2),
            "abroad": Term(0.4, 0.72, 0.45),
        },
        version="2026-07",
        code_version="0.9.4",
    ),
)
