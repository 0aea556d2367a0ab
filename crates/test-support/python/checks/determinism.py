"""Checks that `generate` output depends on the world alone, and that every ticket satisfies the contract.

Usage: determinism.py BIN_DIR

For each world, the output must be byte-identical for any number of threads, batch size and sharding, in one stream or in
files, compressed or not; another seed must change it; and the manifests must match the files. Then every rule of the
contract is checked on every ticket, independently of the Rust code. The worlds cover a leap day, a new year and an as-of
time in the middle of a day.
"""

import json
import re
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pyarrow

from contract import (
    CATEGORIES, CHANNELS, FIELDS, MARKETS, RESOLVED_STATUSES, SLA_HOURS, STATUSES, check, manifest, parse_time, raw_files,
    with_times,
)

WORLDS = [
    {"count": 6000, "days-back": 90, "seed": 42, "as-of": "2026-11-22T00:00:00Z"},
    # Long, with the new year and the leap day of 2024.
    {"count": 9000, "days-back": 400, "seed": 7, "as-of": "2024-03-01T13:37:11Z"},
    # Short and crowded, so that many tickets are unresolved and close to their SLA target.
    {"count": 9000, "days-back": 2, "seed": 18446744073709551615, "as-of": "2025-01-01T05:06:07Z"},
    # Fewer tickets than threads or shards.
    {"count": 3, "days-back": 1, "seed": 0, "as-of": "2024-02-29T00:00:00Z"},
]

# The first and the last model year of each period in which a series was sold.
ALL_YEARS = [(2018, 2026)]
MODEL_YEARS = {
    "1 Series": ALL_YEARS, "2 Series Gran Coupé": [(2020, 2026)], "3 Series": ALL_YEARS, "4 Series": [(2021, 2026)],
    "5 Series": ALL_YEARS, "7 Series": ALL_YEARS, "X1": ALL_YEARS, "X2": ALL_YEARS, "X3": ALL_YEARS, "X5": ALL_YEARS, "X6": ALL_YEARS,
    "X7": [(2019, 2026)], "XM": [(2023, 2026)], "Z4": [(2019, 2026)], "M3": [(2018, 2018), (2021, 2026)],
    "M5": [(2018, 2023), (2025, 2026)], "i4": [(2022, 2026)], "i5": [(2024, 2026)], "i7": [(2023, 2026)],
    "iX": [(2022, 2026)], "iX1": [(2023, 2026)], "iX3": [(2021, 2026)],
}
# The first model year sold in the United States, for series that came there late or (None) never.
FIRST_IN_US = {"1 Series": None, "iX1": None, "iX3": 2026}

PATTERNS = {
    "ticket_id": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "created_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "updated_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "resolved_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "dealer_id": r"DLR-[A-Z]{2}-\d{3}",
    "customer_id": r"CUST-[0-9A-F]{10}",
    "vin_last6": r"[A-HJ-NPR-Z0-9][0-9]{5}",
}
ENUMS = {
    "severity": list(SLA_HOURS), "status": STATUSES, "category": CATEGORIES, "channel": CHANNELS, "market": MARKETS,
    "model_series": list(MODEL_YEARS),
}


def generate(bin_dir, world, output, **options):
    arguments = [f"--{name}={value}" for name, value in (world | options).items()]
    command = [Path(bin_dir) / "generate", *arguments, f"--output={output}", "--quiet"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def check_same_bytes(bin_dir, world, expected, scratch):
    """Checks that every variant of options gives the bytes `expected`. Returns the number of variants."""
    variants = [{"threads": n} for n in (1, 2, 7)]
    variants += [{"batch-size": n} for n in (1, 999, 2048, 2049, 1_000_000_000)]
    variants += [{"threads": 7, "batch-size": 10}]
    for variant in variants:
        check(generate(bin_dir, world, "-", **variant) == expected, f"{world}: different bytes with {variant}")

    shardings = [1, 5, 7]
    for n in shardings:
        shards = [generate(bin_dir, world, "-", shard=f"{i}/{n}", threads=i % 3 + 1) for i in range(1, n + 1)]
        check(b"".join(shards) == expected, f"{world}: {n} concatenated shards give different bytes")

    directories = [{"batch-size": 1000}, {"batch-size": 77, "threads": 7}, {"batch-size": 1_000_000_000}]
    for number, variant in enumerate(directories):
        directory = scratch / f"whole-{number}"
        generate(bin_dir, world, directory, **variant)
        content = b"".join(file.read_bytes() for file in raw_files(directory))
        check(content == expected, f"{world}: the files of a directory give different bytes with {variant}")
        check_manifest(directory, world)

    for variant, suffix in {"gzip": "gz", "zstd": "zst"}.items():
        directory = scratch / variant
        generate(bin_dir, world, directory, compress=variant, **{"batch-size": 1500})
        names = [entry["name"] for entry in manifest(directory)["files"]]
        check(all(name.endswith(f".jsonl.{suffix}") for name in names), f"{world}: {variant} makes {names}")
        content = b"".join(pyarrow.input_stream(directory / name, compression=variant).read() for name in names)
        check(content == expected, f"{world}: the decompressed files give different bytes with {variant}")

    # Shards in separate directories: their files must sort in ticket order when they are merged.
    files = []
    for i in range(1, 6):
        directory = scratch / f"shard-{i}"
        generate(bin_dir, world, directory, shard=f"{i}/5", **{"batch-size": 700})
        check_manifest(directory, world)
        files += raw_files(directory)
    content = b"".join(file.read_bytes() for file in sorted(files, key=lambda file: file.name))
    check(content == expected, f"{world}: the files of 5 shards give different bytes")
    return len(variants) + len(shardings) + len(directories) + 3


def check_manifest(directory, world):
    """Checks the manifest's files, rows, bytes and totals against the files, and its world against the options."""
    described = manifest(directory)
    names = [entry["name"] for entry in described["files"]]
    actual = [file.name for file in raw_files(directory)]
    check(names == actual, f"{directory}: the files are {actual}, in the manifest {names}")
    rows_by_market = {}
    for entry in described["files"]:
        content = (directory / entry["name"]).read_bytes()
        lines = content.splitlines()
        check(entry["bytes"] == len(content), f"{entry['name']}: {len(content)} bytes, manifest: {entry['bytes']}")
        check(entry["rows"] == len(lines), f"{entry['name']}: {len(lines)} rows, manifest: {entry['rows']}")
        for line in lines:
            market = json.loads(line)["market"]
            rows_by_market[market] = rows_by_market.get(market, 0) + 1
    markets = {market: rows for market, rows in described["markets"].items() if rows > 0}
    check(markets == rows_by_market, f"{directory}: {rows_by_market} by market, manifest: {markets}")
    check(described["rows"] == sum(markets.values()), f"{directory}: the manifest's rows are {described['rows']}")
    expected = {name.replace("-", "_"): value for name, value in world.items()}
    start = parse_time(world["as-of"]) - timedelta(days=world["days-back"])
    expected |= {"world_start": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "profile": {"name": "default"}}
    check(described["world"] == expected, f"{directory}: the manifest's world is {described['world']}")


def malformed_fields(ticket, pairs):
    """Yields the fields that are malformed on their own, regardless of the other fields."""
    for field, pattern in PATTERNS.items():
        is_null = field == "resolved_at" and ticket[field] is None
        if not is_null and not (isinstance(ticket[field], str) and re.fullmatch(pattern, ticket[field], re.ASCII)):
            yield field
    for field, texts in ENUMS.items():
        if ticket[field] not in texts:
            yield field
    if type(ticket["model_year"]) is not int or not 2018 <= ticket["model_year"] <= 2026:
        yield "model_year"
    if type(ticket["sla_breached"]) is not bool:
        yield "sla_breached"
    if [name for name, _ in pairs] != FIELDS:
        yield "the order of the keys"


def violated_rules(ticket, first, as_of):
    """Yields the rules between fields that a ticket with parsed timestamps violates."""
    created, updated, resolved = ticket["created_at"], ticket["updated_at"], ticket["resolved_at"]
    if not first <= created <= updated <= as_of:
        yield "the start of the world <= created_at <= updated_at <= as-of"
    if (resolved is not None) != (ticket["status"] in RESOLVED_STATUSES):
        yield "resolved_at is set exactly when the status is Resolved or Closed"
    if resolved is not None and not created < resolved <= updated:
        yield "created_at < resolved_at <= updated_at"
    target = timedelta(hours=SLA_HOURS[ticket["severity"]])
    if ticket["sla_breached"] != ((resolved or as_of) - created > target):
        yield "sla_breached: resolved, or unresolved at as-of, later than the target"
    if ticket["dealer_id"].split("-")[1] != ticket["market"]:
        yield "the dealer is of the ticket's market"
    series, year = ticket["model_series"], ticket["model_year"]
    if not any(start <= year <= end for start, end in MODEL_YEARS[series]):
        yield f"{series} was not sold in {year}"
    if ticket["market"] == "US" and series in FIRST_IN_US:
        first_year = FIRST_IN_US[series]
        if first_year is None or year < first_year:
            yield f"{series} of {year} was not sold in the United States"


def check_contract(content, world):
    """Checks every rule of the contract on every ticket. Returns the dealer_ids found."""
    as_of = parse_time(world["as-of"])
    first = as_of - timedelta(days=world["days-back"])
    check(content.endswith(b"\n") and b"\r" not in content, f"{world}: a line does not end with a single newline")
    check(b"\\" not in content, f"{world}: unexpected escape; no text of the contract needs one")
    lines = content.decode("utf-8").removesuffix("\n").split("\n")
    check(len(lines) == world["count"], f"{world}: {len(lines)} tickets")
    ids, dealers, cars = set(), set(), {}
    for number, line in enumerate(lines, start=1):
        pairs = json.loads(line, object_pairs_hook=list)
        ticket = dict(pairs)
        wrong = list(malformed_fields(ticket, pairs)) or list(violated_rules(with_times(ticket), first, as_of))
        check(not wrong, f"{world}: ticket {number} violates {wrong}: {line}")
        ids.add(ticket["ticket_id"])
        dealers.add(ticket["dealer_id"])
        # vin_last6 alone is not unique; together with the customer it identifies a car, whose properties never change.
        car = (ticket["model_series"], ticket["model_year"], ticket["market"])
        known = cars.setdefault((ticket["customer_id"], ticket["vin_last6"]), car)
        check(known == car, f"{world}: the car of ticket {number} was {known} in an earlier ticket: {line}")
    check(len(ids) == len(lines), f"{world}: {len(lines) - len(ids)} duplicate ticket_ids")
    return dealers


def main(bin_dir):
    dealers = set()
    for world in WORLDS:
        with tempfile.TemporaryDirectory(prefix="determinism-") as scratch:
            expected = generate(bin_dir, world, "-")
            n_variants = check_same_bytes(bin_dir, world, expected, Path(scratch))
            other = world | {"seed": world["seed"] ^ 1}
            check(generate(bin_dir, other, "-") != expected, f"{world}: another seed gives the same bytes")
        print(f"ok  {n_variants} variants of options give the same bytes: {world}")
        dealers |= check_contract(expected, world)
        print(f"ok  all {world['count']} tickets satisfy the contract")
    for market in MARKETS:
        n_dealers = sum(dealer.startswith(f"DLR-{market}-") for dealer in dealers)
        check(n_dealers >= 8, f"only {n_dealers} dealers in {market}, expected at least 8")
    print("ok  at least eight dealers in every market")


if __name__ == "__main__":
    main(*sys.argv[1:])
