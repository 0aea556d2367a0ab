"""Proves that `generate` makes the same bytes however it is run, and that every ticket keeps every rule of the contract.

Usage: determinism.py BIN_DIR

For each world: threads, batch sizes and shards never change a byte of it, another seed does, the files of a directory give
the same bytes one after the other, compressed or not, and manifests tell the truth of their files. Then the rules, one by one
and with none of our code, on every ticket. The worlds have a leap day, a new year and a present in the middle of a day among
them.
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
    # The new year and the leap day of 2024 lie in it, and it is long.
    {"count": 9000, "days-back": 400, "seed": 7, "as-of": "2024-03-01T13:37:11Z"},
    # Short and crowded, so that many tickets are unresolved and close to their SLA target.
    {"count": 9000, "days-back": 2, "seed": 18446744073709551615, "as-of": "2025-01-01T05:06:07Z"},
    # Fewer tickets than threads or shards.
    {"count": 3, "days-back": 1, "seed": 0, "as-of": "2024-02-29T00:00:00Z"},
]

# The first and the last model year of each time that a series was sold.
ALWAYS = [(2018, 2026)]
MODEL_YEARS = {
    "1 Series": ALWAYS, "2 Series Gran Coupé": [(2020, 2026)], "3 Series": ALWAYS, "4 Series": [(2021, 2026)],
    "5 Series": ALWAYS, "7 Series": ALWAYS, "X1": ALWAYS, "X2": ALWAYS, "X3": ALWAYS, "X5": ALWAYS, "X6": ALWAYS,
    "X7": [(2019, 2026)], "XM": [(2023, 2026)], "Z4": [(2019, 2026)], "M3": [(2018, 2018), (2021, 2026)],
    "M5": [(2018, 2023), (2025, 2026)], "i4": [(2022, 2026)], "i5": [(2024, 2026)], "i7": [(2023, 2026)],
    "iX": [(2022, 2026)], "iX1": [(2023, 2026)], "iX3": [(2021, 2026)],
}
# The first model year that the United States got, of what came there late or (None) never.
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
TEXTS = {
    "severity": list(SLA_HOURS), "status": STATUSES, "category": CATEGORIES, "channel": CHANNELS, "market": MARKETS,
    "model_series": list(MODEL_YEARS),
}


def generate(bin_dir, world, output, **options):
    arguments = [f"--{name}={value}" for name, value in (world | options).items()]
    command = [Path(bin_dir) / "generate", *arguments, f"--output={output}", "--quiet"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def check_same_bytes(bin_dir, world, expected, scratch):
    """Every way to make the world gives `expected`; returns in how many ways it was made."""
    ways = [{"threads": n} for n in (1, 2, 7)]
    ways += [{"batch-size": n} for n in (1, 999, 2048, 2049, 1_000_000_000)]
    ways += [{"threads": 7, "batch-size": 10}]
    for way in ways:
        check(generate(bin_dir, world, "-", **way) == expected, f"{world}: other bytes with {way}")

    shardings = [1, 5, 7]
    for n in shardings:
        shards = [generate(bin_dir, world, "-", shard=f"{i}/{n}", threads=i % 3 + 1) for i in range(1, n + 1)]
        check(b"".join(shards) == expected, f"{world}: {n} shards, one after the other, give other bytes")

    directories = [{"batch-size": 1000}, {"batch-size": 77, "threads": 7}, {"batch-size": 1_000_000_000}]
    for number, way in enumerate(directories):
        directory = scratch / f"whole-{number}"
        generate(bin_dir, world, directory, **way)
        content = b"".join(file.read_bytes() for file in raw_files(directory))
        check(content == expected, f"{world}: the files of a directory give other bytes with {way}")
        check_manifest(directory, world)

    for way, suffix in {"gzip": "gz", "zstd": "zst"}.items():
        directory = scratch / way
        generate(bin_dir, world, directory, compress=way, **{"batch-size": 1500})
        names = [entry["name"] for entry in manifest(directory)["files"]]
        check(all(name.endswith(f".jsonl.{suffix}") for name in names), f"{world}: {way} makes {names}")
        content = b"".join(pyarrow.input_stream(directory / name, compression=way).read() for name in names)
        check(content == expected, f"{world}: the files of a directory unpack to other bytes with {way}")

    # Shards in directories of their own: their files must sort the same when they are brought together.
    files = []
    for i in range(1, 6):
        directory = scratch / f"shard-{i}"
        generate(bin_dir, world, directory, shard=f"{i}/5", **{"batch-size": 700})
        check_manifest(directory, world)
        files += raw_files(directory)
    content = b"".join(file.read_bytes() for file in sorted(files, key=lambda file: file.name))
    check(content == expected, f"{world}: the files of 5 shards give other bytes")
    return len(ways) + len(shardings) + len(directories) + 3


def check_manifest(directory, world):
    """The manifest names every file, with its rows and bytes, and the world; its totals are what the files hold."""
    promised = manifest(directory)
    names = [entry["name"] for entry in promised["files"]]
    found = [file.name for file in raw_files(directory)]
    check(names == found, f"{directory}: the files are {found}, in the manifest {names}")
    rows_by_market = {}
    for entry in promised["files"]:
        content = (directory / entry["name"]).read_bytes()
        lines = content.splitlines()
        check(entry["bytes"] == len(content), f"{entry['name']}: {len(content)} bytes, manifest: {entry['bytes']}")
        check(entry["rows"] == len(lines), f"{entry['name']}: {len(lines)} rows, manifest: {entry['rows']}")
        for line in lines:
            market = json.loads(line)["market"]
            rows_by_market[market] = rows_by_market.get(market, 0) + 1
    markets = {market: rows for market, rows in promised["markets"].items() if rows > 0}
    check(markets == rows_by_market, f"{directory}: {rows_by_market} by market, manifest: {markets}")
    check(promised["rows"] == sum(markets.values()), f"{directory}: the manifest's rows are {promised['rows']}")
    expected = {name.replace("-", "_"): value for name, value in world.items()}
    start = parse_time(world["as-of"]) - timedelta(days=world["days-back"])
    expected |= {"world_start": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "profile": {"name": "default"}}
    check(promised["world"] == expected, f"{directory}: the manifest's world is {promised['world']}")


def wrong_fields(ticket, pairs):
    """The fields of a ticket that are not of their form, whatever the others say."""
    for field, pattern in PATTERNS.items():
        is_null = field == "resolved_at" and ticket[field] is None
        if not is_null and not (isinstance(ticket[field], str) and re.fullmatch(pattern, ticket[field], re.ASCII)):
            yield field
    for field, texts in TEXTS.items():
        if ticket[field] not in texts:
            yield field
    if type(ticket["model_year"]) is not int or not 2018 <= ticket["model_year"] <= 2026:
        yield "model_year"
    if type(ticket["sla_breached"]) is not bool:
        yield "sla_breached"
    if [name for name, _ in pairs] != FIELDS:
        yield "the order of the keys"


def broken_rules(ticket, first, as_of):
    """The rules between fields that a ticket breaks; its times are parsed."""
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
    """Every rule holds for every ticket. Returns the dealers that occur."""
    as_of = parse_time(world["as-of"])
    first = as_of - timedelta(days=world["days-back"])
    check(content.endswith(b"\n") and b"\r" not in content, f"{world}: the lines don't end as they should")
    check(b"\\" not in content, f"{world}: something is escaped, though no text of the contract needs it")
    lines = content.decode("utf-8").removesuffix("\n").split("\n")
    check(len(lines) == world["count"], f"{world}: {len(lines)} tickets")
    ids, dealers, cars = set(), set(), {}
    for number, line in enumerate(lines, start=1):
        pairs = json.loads(line, object_pairs_hook=list)
        ticket = dict(pairs)
        wrong = list(wrong_fields(ticket, pairs)) or list(broken_rules(with_times(ticket), first, as_of))
        check(not wrong, f"{world}: ticket {number} breaks {wrong}: {line}")
        ids.add(ticket["ticket_id"])
        dealers.add(ticket["dealer_id"])
        # The last six alone are not unique; with the customer they name a car, which is one thing for life.
        car = (ticket["model_series"], ticket["model_year"], ticket["market"])
        known = cars.setdefault((ticket["customer_id"], ticket["vin_last6"]), car)
        check(known == car, f"{world}: ticket {number} has a car that was {known} before: {line}")
    check(len(ids) == len(lines), f"{world}: {len(lines) - len(ids)} ticket_id occur twice")
    return dealers


def main(bin_dir):
    dealers = set()
    for world in WORLDS:
        with tempfile.TemporaryDirectory(prefix="determinism-") as scratch:
            expected = generate(bin_dir, world, "-")
            n_ways = check_same_bytes(bin_dir, world, expected, Path(scratch))
            other = world | {"seed": world["seed"] ^ 1}
            check(generate(bin_dir, other, "-") != expected, f"{world}: another seed gives the same bytes")
        print(f"ok  {n_ways} ways to make the same bytes: {world}")
        dealers |= check_contract(expected, world)
        print(f"ok  all {world['count']} tickets keep the contract")
    for market in MARKETS:
        n_dealers = sum(dealer.startswith(f"DLR-{market}-") for dealer in dealers)
        check(n_dealers >= 8, f"there are only {n_dealers} dealers in {market}")
    print("ok  eight dealers or more in every market")


if __name__ == "__main__":
    main(*sys.argv[1:])
