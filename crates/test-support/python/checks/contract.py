"""The ticket contract as the oracles know it, and how they read tickets and manifests.

Written down a second time on purpose: nothing here is taken from the Rust sources, so a slip there is not repeated here.
"""

import json
import sys
from datetime import datetime, timezone
from pathlib import Path

FIELDS = [
    "ticket_id", "created_at", "updated_at", "resolved_at", "severity", "status", "category", "channel", "market",
    "dealer_id", "customer_id", "vin_last6", "model_series", "model_year", "sla_breached",
]
FILE_FIELDS = [field for field in FIELDS if field != "market"]
TIMES = ["created_at", "updated_at", "resolved_at"]

SLA_HOURS = {"P1": 4, "P2": 8, "P3": 48, "P4": 120}
RESOLVED_STATUSES = ["Resolved", "Closed"]
STATUSES = ["Open", "In Progress", "Waiting", *RESOLVED_STATUSES]
CATEGORIES = [
    "Engine", "Electrical", "iDrive", "Brake", "Recall", "Suspension", "Climate", "Bodywork", "Warranty", "Other",
]
CHANNELS = ["Phone", "Email", "Dealer Portal", "BMW App", "Walk-In"]
MARKETS = ["DE", "US", "GB", "CN", "FR", "IT", "JP", "KR", "AU", "AE"]


def parse_time(text):
    """A time in the contract's own form: whole seconds, UTC, Z."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def with_times(ticket):
    """The ticket with its times as points in time."""
    times = {field: parse_time(ticket[field]) if ticket[field] is not None else None for field in TIMES}
    return ticket | times


def manifest(directory):
    return json.loads((Path(directory) / "_manifest.json").read_text(encoding="utf-8"))


def raw_files(directory):
    """The JSON-Lines files of a raw data set, in the order of their names, which is the order of the tickets.

    Names with an underscore are hidden: the list of planted defects is no file of tickets.
    """
    return sorted(file for file in Path(directory).glob("*.jsonl") if not file.name.startswith("_"))


def raw_tickets(directory):
    """Every ticket of a raw data set, its times parsed, by ticket_id."""
    tickets = {}
    for file in raw_files(directory):
        for line in file.read_text(encoding="utf-8").removesuffix("\n").split("\n"):
            ticket = with_times(json.loads(line))
            check(ticket["ticket_id"] not in tickets, f"{file}: {ticket['ticket_id']} occurs twice")
            tickets[ticket["ticket_id"]] = ticket
    return tickets


def check(condition, message):
    """Ends the oracle with a message unless the condition holds."""
    if not condition:
        sys.exit(f"FAILED  {message}")


def check_same_tickets(found, expected, where):
    """Holds two sets of tickets, keyed by ticket_id, against each other, field by field."""
    missing, surplus = expected.keys() - found.keys(), found.keys() - expected.keys()
    check(not missing, f"{where}: {len(missing)} tickets are missing, {sorted(missing)[:3]} among them")
    check(not surplus, f"{where}: {len(surplus)} tickets should not be there, {sorted(surplus)[:3]} among them")
    for ticket_id, ticket in expected.items():
        for field in FIELDS:
            value = found[ticket_id][field]
            is_same = value == ticket[field] and type(value) is type(ticket[field])
            check(is_same, f"{where}: {field} of {ticket_id} is {value!r}, expected {ticket[field]!r}")
