"""Trades that a generated pipeline can be about: names as people would choose them, and what is counted there."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulation.draws import Choice, Counts, Draw, Exponential, LogNormal, Normal


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A trade and its tables.

    events: the main stream; others: further streams; profiles: what is known of those who act, by the name of the
    table. systems: where all of it comes from. scored: what the model says.
    """

    name: str
    owner: str
    key: str
    scored: str
    systems: tuple[str, ...]
    events: tuple[str, Mapping[str, Draw]]
    others: Mapping[str, Mapping[str, Draw]]
    profiles: Mapping[str, Mapping[str, Draw]]


def _among(*names: str) -> Choice:
    return Choice({name: 1.0 / (place + 1.3) for place, name in enumerate(names)})


THEMES = (
    Theme(
        name="parcels",
        owner="logistics",
        key="shipper_id",
        scored="delay_risk",
        systems=("wms", "fleet-db", "partner-api", "tms"),
        events=(
            "consignments",
            {
                "weight_kg": LogNormal(3.2, 0.7),
                "distance_km": LogNormal(140.0, 0.6),
                "pieces": Counts(2.2, least=1),
                "declared_value": LogNormal(60.0, 0.9),
                "service": _among("standard", "express", "economy"),
                "origin_region": _among("north", "south", "east", "west"),
            },
        ),
        others={"scans": {"dwell_min": Exponential(45.0), "retries": Counts(1.4)}},
        profiles={
            "shippers": {"contract_days": Exponential(500.0), "usual_weight": LogNormal(3.0, 0.5)},
            "depots": {"throughput": Normal(800.0, 120.0), "home_region": _among("north", "south", "east", "west")},
            "tariffs": {"rate": LogNormal(1.4, 0.3), "discount_pct": Exponential(6.0)},
        },
    ),
    Theme(
        name="lending",
        owner="credit",
        key="applicant_id",
        scored="default_risk",
        systems=("core-banking", "bureau", "web-forms", "ledger"),
        events=(
            "applications",
            {
                "requested": LogNormal(9_000.0, 0.6),
                "term_months": Counts(36.0, least=6),
                "stated_income": LogNormal(2_900.0, 0.45),
                "purpose": _among("car", "home", "consolidation", "other"),
                "channel": _among("branch", "online", "broker"),
            },
        ),
        others={"transactions": {"turnover": LogNormal(55.0, 1.0), "balance": Normal(1_500.0, 600.0)}},
        profiles={
            "applicants": {"age": Normal(43.0, 12.0), "tenure_days": Exponential(900.0)},
            "bureau_scores": {"external_score": Normal(580.0, 70.0), "open_lines": Counts(3.5)},
            "employers": {"headcount": LogNormal(120.0, 1.0), "sector": _among("trade", "public", "industry", "it")},
        },
    ),
    Theme(
        name="playback",
        owner="recommendations",
        key="viewer_id",
        scored="churn",
        systems=("edge-logs", "accounts", "catalogue-api", "billing"),
        events=(
            "sessions",
            {
                "watched_s": LogNormal(1_500.0, 0.8),
                "startup_ms": LogNormal(700.0, 0.5),
                "stalls": Counts(1.2),
                "bitrate_kbps": Normal(4_200.0, 700.0),
                "device": _among("tv", "phone", "tablet", "browser"),
                "network": _among("fixed", "mobile", "other"),
            },
        ),
        others={"searches": {"results": Counts(24.0), "typed_chars": Counts(9.0, least=1)}},
        profiles={
            "viewers": {"joined_days": Exponential(400.0), "household": Counts(2.4, least=1)},
            "plans": {"monthly_price": LogNormal(10.0, 0.3), "tier": _among("basic", "family", "premium")},
            "titles_seen": {"seen": Exponential(60.0), "favourite": _among("drama", "sport", "kids", "news")},
        },
    ),
    Theme(
        name="metering",
        owner="grid",
        key="meter_id",
        scored="outage_risk",
        systems=("headend", "asset-db", "weather-feed", "gis"),
        events=(
            "readings",
            {
                "load_kw": LogNormal(1.8, 0.6),
                "voltage": Normal(231.0, 2.2),
                "harmonics": Exponential(30.0),
                "phase_shift": Normal(0.0, 4.0),
                "status": _among("ok", "estimated", "manual"),
                "tariff_zone": _among("a", "b", "c", "d"),
            },
        ),
        others={"alarms": {"duration_s": Exponential(90.0), "code_level": Counts(2.0)}},
        profiles={
            "meters": {"installed_days": Exponential(1_500.0), "rated_kw": LogNormal(9.0, 0.3)},
            "feeders": {"length_km": LogNormal(4.0, 0.5), "insulation": _among("xlpe", "paper", "bare")},
            "weather": {"temperature": Normal(12.0, 6.0), "wind": LogNormal(4.0, 0.5)},
        },
    ),
    Theme(
        name="rides",
        owner="marketplace",
        key="rider_id",
        scored="cancellation",
        systems=("app-events", "dispatch", "payments-db", "maps"),
        events=(
            "requests",
            {
                "fare": LogNormal(14.0, 0.5),
                "pickup_s": LogNormal(240.0, 0.5),
                "trip_km": LogNormal(5.5, 0.7),
                "surge": LogNormal(1.1, 0.15),
                "product": _among("solo", "shared", "xl"),
                "zone": _among("centre", "airport", "suburb"),
            },
        ),
        others={"pings": {"speed_kmh": Normal(28.0, 9.0), "accuracy_m": Exponential(12.0)}},
        profiles={
            "riders": {"rides_taken": Exponential(80.0), "usual_fare": LogNormal(13.0, 0.4)},
            "wallets": {"credit": Exponential(9.0), "method": _among("card", "cash", "invoice")},
            "neighbourhoods": {"density": LogNormal(300.0, 0.5), "home_zone": _among("centre", "airport", "suburb")},
        },
    ),
)
