"""The ticket contract as the checks know it, and functions that read tickets and manifests.

Written independently of the Rust sources on purpose, so that an error there is not repeated here.
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
    """Parses a timestamp in the contract's form: whole seconds, UTC, suffix Z."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def with_times(ticket):
    """Returns the ticket with its timestamps parsed."""
    times = {field: parse_time(ticket[field]) if ticket[field] is not None else None for field in TIMES}
    return ticket | times


def manifest(directory):
    return json.loads((Path(directory) / "_manifest.json").read_text(encoding="utf-8"))


def raw_files(directory):
    """Returns the JSON-Lines files of a raw data set, sorted by name, which is the order of the tickets.

    Skips names that start with an underscore, such as the list of planted defects.
    """
    return sorted(file for file in Path(directory).glob("*.jsonl") if not file.name.startswith("_"))


def raw_tickets(directory):
    """Returns all tickets of a raw data set by ticket_id, with their timestamps parsed."""
    tickets = {}
    for file in raw_files(directory):
        for line in file.read_text(encoding="utf-8").removesuffix("\n").split("\n"):
            ticket = with_times(json.loads(line))
            check(ticket["ticket_id"] not in tickets, f"{file}: {ticket['ticket_id']} occurs twice")
            tickets[ticket["ticket_id"]] = ticket
    return tickets


def check(condition, message):
    """Exits with a message unless the condition holds."""
    if not condition:
        sys.exit(f"FAILED  {message}")


def check_same_tickets(found, expected, where):
    """Compares two sets of tickets, keyed by ticket_id, field by field."""
    missing, unexpected = expected.keys() - found.keys(), found.keys() - expected.keys()
    check(not missing, f"{where}: {len(missing)} tickets are missing, for example {sorted(missing)[:3]}")
    check(not unexpected, f"{where}: {len(unexpected)} unexpected tickets, for example {sorted(unexpected)[:3]}")
    for ticket_id, ticket in expected.items():
        for field in FIELDS:
            value = found[ticket_id][field]
            is_same = value == ticket[field] and type(value) is type(ticket[field])
            check(is_same, f"{where}: {field} of {ticket_id} is {value!r}, expected {ticket[field]!r}")
