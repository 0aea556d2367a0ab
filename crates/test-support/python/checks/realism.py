"""Checks the scores of `realism` against SDMetrics and its statistics against SciPy.

Usage: realism.py BIN_DIR

`realism --reference` compares two worlds that differ in seed and count. Every column and pair is then derived independently
from the same JSON-Lines and scored by SDMetrics itself (KSComplement, TVComplement, ContingencySimilarity). Numbers in a
pair are binned as in `realism` first, because SDMetrics would choose other bins.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from math import sqrt
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
from scipy import stats
from sdmetrics.column_pairs import ContingencySimilarity
from sdmetrics.single_column import KSComplement, TVComplement

from contract import check, manifest, parse_time, raw_tickets

PERIOD = ["--as-of=2026-11-22T08:30:00Z", "--days-back=120"]
WORLDS = {"data": ["--count=6000", "--seed=42"], "other": ["--count=9000", "--seed=7"]}

ZONES = {
    "DE": "Europe/Berlin", "US": "America/New_York", "GB": "Europe/London", "CN": "Asia/Shanghai", "FR": "Europe/Paris",
    "IT": "Europe/Rome", "JP": "Asia/Tokyo", "KR": "Asia/Seoul", "AU": "Australia/Sydney", "AE": "Asia/Dubai",
}
VIN_FIRST = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
RESOLUTION_BINS = [0, 1, 2, 4, 8, 12, 24, 48, 72, 120, 168, 336]

WEIGHTS = {
    "market": dict(DE=.25, US=.20, CN=.15, GB=.10, FR=.07, IT=.06, JP=.05, KR=.04, AU=.04, AE=.04),
    "severity": dict(P1=.05, P2=.15, P3=.45, P4=.35),
    "channel": {"Phone": .25, "Email": .20, "Dealer Portal": .30, "BMW App": .15, "Walk-In": .10},
}

CATEGORICAL = [
    "severity", "status", "category", "channel", "market", "dealer_id", "model_series", "model_year", "sla_breached", "weekday",
]
NUMERIC = ["created_at", "hour", "resolution", "updated_at", "vin_last6"]
PAIRS = [
    ("severity", "status"), ("severity", "sla_breached"), ("category", "severity"), ("category", "model_series"),
    ("market", "model_series"), ("model_series", "model_year"), ("channel", "hour"), ("market", "hour_utc"),
    ("market", "weekday"), ("category", "month"), ("severity", "resolution_bin"),
]
PLAUSIBILITY_METRICS = {"category_by_series": ("category", "model_series"), "market_by_series": ("market", "model_series")}

# The scores sum the same few floating-point numbers in another order.
TOLERANCE = 1e-9


def table(directory):
    """Returns the tickets of a raw data set with the derived columns that are compared."""
    tickets = pd.DataFrame(raw_tickets(directory).values())
    as_of = parse_time(manifest(directory)["world"]["as_of"])
    seconds = lambda times: times.map(lambda time: time.total_seconds())
    local = [created.astimezone(ZoneInfo(ZONES[market])) for created, market in zip(tickets.created_at, tickets.market)]
    derived = {
        "hour": [time.hour for time in local],
        "weekday": [time.weekday() for time in local],
        "hour_utc": tickets.created_at.dt.hour,
        "month": tickets.created_at.dt.strftime("%Y-%m"),
        "resolution": (pd.to_datetime(tickets.resolved_at, utc=True) - tickets.created_at).dt.total_seconds(),
        "vin_last6": tickets.vin_last6.str[0].map(VIN_FIRST.index),
        "dealer_id": dealer_ranks(tickets),
        "updated_at": seconds(tickets.updated_at - tickets.created_at),
        "created_at": seconds(tickets.created_at - as_of),
        "customer": tickets.customer_id,
        "car": tickets.customer_id + tickets.vin_last6,
    }
    bins = derived["resolution"].map(lambda s: "none" if pd.isna(s) else str(sum(b * 3600 <= s for b in RESOLUTION_BINS)))
    return tickets.assign(**derived, resolution_bin=bins)


def dealer_ranks(tickets):
    """Returns each ticket's dealer as its rank, by tickets, within its market."""
    ranks = {}
    for _, of_market in tickets.groupby("market"):
        dealers = Counter(of_market.dealer_id).most_common()
        ranks |= {dealer: rank for rank, (dealer, _) in enumerate(dealers)}
    return tickets.dealer_id.map(ranks)


def expected_scores(data, other):
    """Computes every score with SDMetrics, by name."""
    scores = {}
    for name in CATEGORICAL:
        scores[name] = TVComplement.compute(data[name].astype(str), other[name].astype(str))
    for name in NUMERIC:
        scores[name] = KSComplement.compute(data[name].astype(float), other[name].astype(float))
    for name in ("car", "customer"):
        scores[name] = KSComplement.compute(data[name].value_counts().astype(float), other[name].value_counts().astype(float))
    for pair in PAIRS:
        name = " x ".join(pair).replace("resolution_bin", "resolution")
        scores[name] = ContingencySimilarity.compute(data[list(pair)].astype(str), other[list(pair)].astype(str))
    return scores


def cramers_v(a, b):
    """Computes the bias-corrected Cramér's V (Bergsma, 2013) from SciPy's chi-square."""
    counts = pd.crosstab(a, b)
    n, (rows, columns) = len(a), counts.shape
    phi_squared = stats.chi2_contingency(counts, correction=False).statistic / n
    phi_squared = max(0, phi_squared - (rows - 1) * (columns - 1) / (n - 1))
    rows, columns = (size - (size - 1) ** 2 / (n - 1) for size in (rows, columns))
    return sqrt(phi_squared / (min(rows, columns) - 1))


def check_close(found, expected, name):
    check(abs(found - expected) < TOLERANCE, f"{name} is {found!r}, expected {expected!r}")


def check_statistics(report, data):
    for test in report["scores"]["chi_squares"]:
        weights = WEIGHTS[test["name"]]
        counts = data[test["name"]].value_counts()
        expected = stats.chisquare([counts[key] for key in weights], [w * len(data) for w in weights.values()])
        check_close(test["statistic"], expected.statistic, f"chi-square of {test['name']}")
        check_close(test["p"], expected.pvalue, f"p of {test['name']}")
    metrics = {metric["name"]: metric["value"] for metric in report["scores"]["plausibility"]}
    for name, (a, b) in PLAUSIBILITY_METRICS.items():
        check_close(metrics[name], cramers_v(data[a], data[b]), name)


def run_realism(bin_dir, data, other):
    command = [Path(bin_dir) / "realism", "--data", data, "--reference", other, "--format", "json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True)
    # Exit code 1 is accepted: two small worlds need not reach the target scores.
    check(done.returncode in (0, 1) and done.stdout, f"realism ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def main(bin_dir):
    with tempfile.TemporaryDirectory(prefix="realism-") as scratch:
        directories = {name: Path(scratch) / name for name in WORLDS}
        for name, world in WORLDS.items():
            command = [Path(bin_dir) / "generate", *PERIOD, *world, f"--output={directories[name]}", "--quiet"]
            subprocess.run(command, check=True)
        report = run_realism(bin_dir, directories["data"], directories["other"])
        data, other = (table(directories[name]) for name in ("data", "other"))
    found = {score["name"]: score["score"] for score in report["scores"]["columns"] + report["scores"]["pairs"]}
    expected = expected_scores(data, other)
    check(found.keys() == expected.keys(), f"the scores are {sorted(found)}, expected {sorted(expected)}")
    for name, score in expected.items():
        check_close(found[name], score, f"the score of {name}")
    print(f"ok  {len(found)} scores equal those of SDMetrics")
    check_statistics(report, data)
    print("ok  chi-squares and Cramér's V equal those of SciPy")
    failed = [rule["name"] for rule in report["rules"] if not rule["passed"]]
    check(not failed, f"generated tickets violate {failed}")
    print(f"ok  all {len(report['rules'])} rules hold")


if __name__ == "__main__":
    main(*sys.argv[1:])
