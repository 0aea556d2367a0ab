"""Checks that `transform` accepts every well-formed ticket, in any valid notation, and rejects every other line.

Usage: decoder_conformance.py BIN_DIR

The corpus contains tickets in every notation that JSON, RFC 3339 and the contract allow, interleaved with malformed lines,
in files with and without byte order mark, carriage returns and final newline. Accepted tickets must read back from Parquet
with the expected values. Rejected lines must be in quarantine byte for byte, with their position and the field at fault.
No line may be lost or counted twice, and no file may appear outside the output directory. The exit code must be 0 for
valid lines alone and 3 if there are malformed ones.
"""

import itertools
import json
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset

from contract import FIELDS, check, check_same_tickets, manifest, with_times

BOM = b"\xef\xbb\xbf"
TICKET_NUMBERS = itertools.count(1)


def ticket(**changes):
    """Returns a valid ticket with a unique ticket_id and the given fields changed."""
    return {
        "ticket_id": f"5eed0000-0000-4000-8000-{next(TICKET_NUMBERS):012x}",
        "created_at": "2024-02-28T23:59:59Z",
        "updated_at": "2024-03-02T08:00:00Z",
        "resolved_at": "2024-02-29T12:00:00Z",
        "severity": "P2",
        "status": "Closed",
        "category": "iDrive",
        "channel": "BMW App",
        "market": "DE",
        "dealer_id": "DLR-DE-003",
        "customer_id": "CUST-00000000FF",
        "vin_last6": "A12345",
        "model_series": "2 Series Gran Coupé",
        "model_year": 2024,
        "sla_breached": True,
    } | changes


def compact_json(ticket):
    return json.dumps(ticket, ensure_ascii=False, separators=(",", ":"))


def utc(*parts):
    return datetime(*parts, tzinfo=timezone.utc)


def valid_lines():
    """Yields (name, line, expected ticket with parsed timestamps)."""

    def valid(name, text, expected):
        return name, text if isinstance(text, bytes) else text.encode("utf-8"), expected

    def same(name, expected, write):
        return valid(name, write(expected), with_times(expected))

    yield same("as generate writes it", ticket(), compact_json)
    yield same("keys in reverse", ticket(), lambda t: compact_json(dict(reversed(t.items()))))
    yield same("spaces and tabs", ticket(), lambda t: " \t" + json.dumps(t, separators=("\t, ", " :\t")) + "\t ")
    yield same("carriage returns between tokens", ticket(), lambda t: compact_json(t).replace(",", ",\r") + "\r")
    yield same("ASCII only", ticket(), json.dumps)
    yield same("an escaped key", ticket(), lambda t: compact_json(t).replace('"market"', r'"\u006d\u0061rket"'))
    yield same("an escaped fixed text", ticket(), lambda t: compact_json(t).replace('"Closed"', r'"\u0043losed"'))
    yield same("an escaped time", ticket(), lambda t: compact_json(t).replace("2024-02-28", r"2024\u002D02\u002d28"))
    every_escape = ticket(model_series='"\\/\b\f\n\r\té€🚗')
    escaped = r"\"\\\/\b\f\n\r\t\u00e9\u20AC\uD83D\ude97"
    yield same("every escape", every_escape, lambda t: compact_json(t | {"model_series": "@"}).replace("@", escaped))
    yield same("four bytes a character", ticket(model_series="🚗"), compact_json)
    # Unicode counts some of these as line ends; JSON-Lines counts only the newline.
    yield same("odd line ends in a text", ticket(model_series="a\u2028b\u2029c\u0085d\x7f"), compact_json)
    yield same("unresolved", ticket(resolved_at=None, status="Waiting"), compact_json)
    yield same("changed when opened", ticket(resolved_at=None, status="Open", updated_at="2024-02-28T23:59:59Z"), compact_json)
    yield same("resolved when opened", ticket(resolved_at="2024-02-28T23:59:59Z"), compact_json)
    yield same("not changed since resolved", ticket(updated_at="2024-02-29T12:00:00Z"), compact_json)
    yield same("a market seen never before", ticket(market="NO", dealer_id="DLR-NO-001"), compact_json)
    yield same("255 bytes", ticket(dealer_id="x" * 255, model_series="é" * 127 + "x"), compact_json)

    extra = '"extra":{"market":"../x","a":[1,{"b":null}],"market":2},"e":[-0.5e-400,1E400,true,"\\ud83d\\ude97"],"":{}'
    yield same("unknown fields", ticket(), lambda t: "{" + extra + "," + compact_json(t)[1:-1] + "," + extra + "}")
    deep = '"deep":' + "[" * 500 + "]" * 500
    yield same("a deep unknown field", ticket(), lambda t: "{" + deep + "," + compact_json(t)[1:])

    upper = ticket()
    yield valid("a UUID in capitals", compact_json(upper | {"ticket_id": upper["ticket_id"].upper()}), with_times(upper))

    for written, expected in {
        "2024-02-29T00:00:00+00:00": utc(2024, 2, 29),
        "2024-02-29T00:00:00-00:00": utc(2024, 2, 29),
        "2024-02-29T05:45:00+05:45": utc(2024, 2, 29),
        "2024-02-28T14:30:00-09:30": utc(2024, 2, 29),
        "2024-03-01T00:00:00+14:00": utc(2024, 2, 29, 10),
        "2024-02-29T00:00:00.5Z": utc(2024, 2, 29, 0, 0, 0, 500_000),
        "2024-02-29T01:00:00.123999999999+01:00": utc(2024, 2, 29, 0, 0, 0, 123_000),
        "2024-02-29T00:00:00.0000000Z": utc(2024, 2, 29),
        # Fractions are truncated downwards before 1970, too.
        "1969-12-31T23:59:59.9999Z": utc(1969, 12, 31, 23, 59, 59, 999_000),
        "2000-02-29T23:59:59Z": utc(2000, 2, 29, 23, 59, 59),
    }.items():
        base = ticket()
        yield valid(f"the time {written}", compact_json(base | {"created_at": written}), with_times(base) | {"created_at": expected})


def malformed_lines():
    """Yields (name, line, field at fault or None for the whole line)."""

    def whole_line(name, line):
        return name, line if isinstance(line, bytes) else line.encode("utf-8"), None

    def bad_value(field, value, name="the value"):
        return f"{field}: {name} {value!r:.40}", compact_json(ticket(**{field: value})).encode("utf-8"), field

    def bad_number(text, field):
        line = compact_json(ticket()).replace(":2024,", f":{text},")
        return f"model_year: {text}", line.encode("utf-8"), field

    # Lines that are not one JSON object.
    whole = compact_json(ticket())
    for end in [1, 2, 20, len(whole) // 2, whole.index("é"), len(whole) - 5, len(whole) - 1]:
        yield whole_line(f"cut after {end} characters", whole[:end])
    yield whole_line("cut in an escape", whole[: whole.index("é")] + "\\u00")
    yield whole_line("cut in a character", whole[: whole.index("é") + 1].encode("utf-8")[:-1])
    for garbage in ["x", " x", "}", ",", "\x00", "\f", "\u00a0", "// why"]:
        yield whole_line(f"trailing {garbage!r}", whole + garbage)
    yield whole_line("two objects", whole + compact_json(ticket()))
    yield whole_line("two objects and a space", whole + " " + compact_json(ticket()))
    yield whole_line("two objects and a comma", whole + "," + compact_json(ticket()))
    for line in [f"[{whole}]", "[]", '"text"', "2024", "null", "true", "ticket_id,created_at", "\x00", "\x1a", "\\"]:
        yield whole_line(f"not an object: {line[:20]!r}", line)
    yield whole_line("single quotes", whole.replace('"', "'"))
    yield whole_line("keys without quotes", whole.replace('"market"', "market"))
    yield whole_line("a trailing comma", whole.replace("}", ",}"))
    yield whole_line("a comma missing", whole.replace(',"market"', ' "market"'))
    yield whole_line("a colon missing", whole.replace('"market":', '"market" '))
    yield whole_line("a comment", whole.replace("{", "{/* why */"))
    yield whole_line("True", whole.replace("true", "True"))
    for text in ["NaN", "Infinity", "-Infinity", "02024", "+2024", "2024.", ".5", "0x7E8", "2_024", "20 24", ""]:
        yield bad_number(text, None)
    yield whole_line("NaN in a unknown field", whole.replace("{", '{"extra":NaN,'))

    # Invalid UTF-8, control characters and invalid escapes in strings.
    for name, bad in {
        "a lone byte": b"\xff",
        "a Latin-1 e acute": b"\xe9",
        "an overlong slash": b"\xc0\xaf",
        "a surrogate in UTF-8": b"\xed\xa0\x80",
        "a tab": b"\t",
        "a NUL": b"\x00",
        "a carriage return": b"\r",
        "an unknown escape": b"\\x41",
        "an escape with bad digits": b"\\u00g0",
        "a lone high surrogate": b"\\ud83d",
        "a lone low surrogate": b"\\ude97",
        "a high surrogate and a letter": b"\\ud83d\\u0041",
    }.items():
        yield whole_line(f"{name} in a text", whole.encode("utf-8").replace(b"BMW App", b"BMW App" + bad))
    for bad in [b"\xff", b"\x01"]:
        yield whole_line(f"{bad} in a unknown field", whole.encode("utf-8").replace(b"{", b'{"extra":"' + bad + b'",'))

    # Fields that are missing, duplicated, null or of the wrong JSON type.
    yield "an empty object", b"{}", "ticket_id"
    for field in FIELDS:
        fields = ticket()
        value = fields.pop(field)
        without = compact_json(fields)
        again = f'"{field}":{json.dumps(value)},'
        escaped = f'"\\u{ord(field[0]):04x}{field[1:]}":{json.dumps(value)},'
        yield f"{field} is missing", without.encode("utf-8"), field
        yield f"{field} in upper case", without.replace("{", "{" + again.replace(field, field.upper())).encode(), field
        yield f"{field} only in a nested object", without.replace("{", '{"extra":{' + again[:-1] + "},").encode("utf-8"), field
        yield f"{field} is duplicated", without.replace("{", "{" + again * 2).encode("utf-8"), field
        yield f"{field} is duplicated, once escaped", without.replace("{", "{" + again + escaped).encode("utf-8"), field
        yield f"{field} is null, then duplicated with a value", without.replace("{", f'{{"{field}":null,' + again).encode("utf-8"), field
        if field != "resolved_at":
            yield bad_value(field, None)
        for other in [0, 1.5, True, str(value), [value], {field: value}, {}, []]:
            if type(other) is not type(value):
                yield bad_value(field, other, "the type of")

    # Values of the right type that the contract does not allow.
    for field, values in {
        "severity": ["", "P0", "P5", "p1", "P1 ", " P1", "Critical"],
        "status": ["", "open", "InProgress", "In progress", "Closed\n", "Done"],
        "category": ["", "IDrive", "Brakes", "engine", "Engine,Brake"],
        "channel": ["", "Walk In", "BMW app", "Fax"],
        "market": ["", "D", "de", "De", "XX", "UK", "ZZ", "DEU", "DE ", "..", "../x", "D/", "DE/../x", "ＤＥ", "D\x00"],
        "dealer_id": ["", "x" * 256, "é" * 128],
        "customer_id": ["", "x" * 256, "é" * 128],
        "vin_last6": ["", "x" * 256, "é" * 128],
        "model_series": ["", "x" * 256, "é" * 128],
        "ticket_id": [
            "", "1", "5eed0000-0000-4000-8000-00000000000", "5eed0000-0000-4000-8000-0000000000000",
            "5eed0000-0000-4000-8000-00000000000g", "5eed000000004000800000000000ffff0000",
            "5eed00000000-4000-8000-0000-00000000", "{5eed0000-0000-4000-8000-0000000000}",
            "urn:uuid:5eed0000-0000-4000-8000-000000000000", "5eed0000-0000-4000-8000-0000000000é",
        ],
    }.items():
        for value in values:
            yield bad_value(field, value)
    for text in ["1e3", "2024.0", "2147483648", "-2147483649", "18446744073709551616", "20.24e2"]:
        yield bad_number(text, "model_year")

    # Timestamps that do not exist or are not RFC 3339.
    for field in ["created_at", "updated_at", "resolved_at"]:
        for time in [
            "", "now", "2024-02-29", "2024-02-29T12:00Z", "2024-02-29T12:00:00", "2024-02-29 12:00:00Z",
            "2024-02-29T12:00:00+0100", "2024-02-29T12:00:00+24:00", "2024-02-29T12:00:00+01:60", "2024-02-29T12:00:00.Z",
            "2024-02-29T12:00:00Z ", "20240229T120000Z", "24-02-29T12:00:00Z", "2024-2-29T12:00:00Z", "1709208000",
            "2024-02-30T12:00:00Z", "2023-02-29T12:00:00Z", "1900-02-29T12:00:00Z", "2024-04-31T12:00:00Z",
            "2024-13-01T12:00:00Z", "2024-00-01T12:00:00Z", "2024-02-00T12:00:00Z", "2024-02-29T24:00:00Z",
            "2024-02-29T12:60:00Z", "2024-02-29T12:00:61Z", "２024-02-29T12:00:00Z",
        ]:
            yield bad_value(field, time)

    # Rules between fields: created_at <= resolved_at <= updated_at, and resolved_at set exactly for resolved statuses.
    yield bad_value("updated_at", "2024-02-28T23:59:58Z", "before created_at,")
    yield bad_value("updated_at", "2024-02-29T01:00:00+02:00", "before created_at in UTC,")
    yield bad_value("resolved_at", "2024-02-28T23:59:58Z", "before created_at,")
    yield bad_value("resolved_at", "2024-02-28T23:59:58.999999999Z", "one nanosecond before created_at,")
    yield bad_value("resolved_at", "2024-03-02T08:00:01Z", "after updated_at,")
    yield bad_value("resolved_at", "2024-03-02T08:00:00.000000001Z", "one nanosecond after updated_at,")
    for status in ["Open", "In Progress", "Waiting"]:
        yield f"resolved, but {status}", compact_json(ticket(status=status)).encode("utf-8"), "resolved_at"
    for status in ["Resolved", "Closed"]:
        yield f"{status}, but not resolved", compact_json(ticket(status=status, resolved_at=None)).encode("utf-8"), "resolved_at"


class Corpus:
    """Input files, and the expected outcome of each of their lines."""

    def __init__(self):
        self.tickets = {}
        self.rejected = []
        self.counts = {}

    def add_file(self, path, lines, newline=b"\n", bom=b"", final_newline=True):
        """Writes a file of (name, line, outcome). An outcome is the expected ticket, "blank", the field at fault or None."""
        content, n_accepted, n_rejected = bom, 0, 0
        for number, (name, line, outcome) in enumerate(lines, start=1):
            end = newline if final_newline or number < len(lines) else b""
            if isinstance(outcome, dict):
                self.tickets[outcome["ticket_id"]] = outcome
                n_accepted += 1
            elif outcome != "blank":
                # The quarantine keeps a carriage return before the newline.
                raw_line = line + end.removesuffix(b"\n")
                self.rejected.append((name, path, number, len(content), raw_line, outcome))
                n_rejected += 1
            content += line + end
        path.write_bytes(content)
        self.counts[path] = {"read": n_accepted + n_rejected, "written": n_accepted, "quarantined": n_rejected}

    def rows(self):
        return {name: sum(counts[name] for counts in self.counts.values()) for name in ["read", "written", "quarantined"]}


def interleave(valid, malformed):
    """Spreads valid and blank lines among the malformed ones, to detect errors that spill over to the next line."""
    blanks = itertools.cycle([("empty", b"", "blank"), ("spaces", b" \t ", "blank"), ("a return", b"\r", "blank")])
    valid = iter(valid)
    lines = []
    for number, line in enumerate(malformed):
        lines.append(line)
        if number % 5 == 0:
            lines.append(next(blanks))
            lines += itertools.islice(valid, 1)
    return lines + list(valid)


def paths_below(directory):
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*")}


def check_quarantine(output, rejected, display_path=str):
    """Checks the rejected lines, byte for byte and in order, and the reason given for each of them."""
    lines = (output / "_quarantine" / "rejected.jsonl").read_bytes()
    reasons = (output / "_quarantine" / "_reasons.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    reasons = [json.loads(reason) for reason in reasons]
    for reason, (name, path, number, offset, line, field) in zip(reasons, rejected):
        location = (reason["file"], reason["line"], reason["byte_offset"])
        expected = (display_path(path), number, offset)
        check(location == expected, f"{name}: quarantined as {location}, expected {expected}; the line is {line[:300]}")
        with path.open("rb") as file:
            file.seek(reason["byte_offset"])
            check(file.read(len(line)) == line, f"{name}: not found at byte {offset} of {path}")
        check(reason["field"] == field, f"{name}: rejected for the field {reason['field']}, expected {field}; {reason}")
        check(isinstance(reason["reason"], str) and reason["reason"], f"{name}: no reason is given")
    check(len(reasons) == len(rejected), f"{len(reasons)} reasons for {len(rejected)} rejected lines")
    expected = b"".join(line + b"\n" for _, _, _, _, line, _ in rejected)
    check(lines == expected, "the quarantined lines differ from those of the input")


def check_output(output, corpus):
    """Checks the Parquet rows, the manifest's row counts, and that the output has no other files. Returns the manifest."""
    partitioning = pa.dataset.partitioning(pa.schema([("market", pa.string())]), flavor="hive")
    rows = pa.dataset.dataset(output / "tickets", format="parquet", partitioning=partitioning).to_table().to_pylist()
    found = {row["ticket_id"]: row for row in rows}
    check(len(found) == len(rows), f"{len(rows) - len(found)} tickets were written twice")
    for name, _, _, _, line, _ in corpus.rejected:
        accepted = [ticket_id for ticket_id in found.keys() - corpus.tickets.keys() if ticket_id.encode() in line]
        check(not accepted, f"{name}: accepted, but must be rejected: {line[:400]}")
    check_same_tickets(found, corpus.tickets, "transform")

    found_manifest = manifest(output)
    check(found_manifest["rows"] == corpus.rows(), f"the manifest's rows are {found_manifest['rows']}, expected {corpus.rows()}")
    expected_files = {"_manifest.json", "tickets"}
    markets = {ticket["market"] for ticket in corpus.tickets.values()}
    for market in markets:
        expected_files |= {f"tickets/market={market}", f"tickets/market={market}/part-0.parquet"}
    if corpus.rejected:
        expected_files |= {"_quarantine", "_quarantine/rejected.jsonl", "_quarantine/_reasons.jsonl"}
    check(paths_below(output) == expected_files, f"the output is {sorted(paths_below(output))}")
    return found_manifest


def transform(bin_dir, output, *arguments, stdin=None, expected_exit):
    command = [Path(bin_dir) / "transform", "--output", output, "--quiet", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True)
    messages = done.stderr.decode("utf-8", "replace")[:1000]
    check(done.returncode == expected_exit, f"exit code {done.returncode}, expected {expected_exit}: {messages}")


def main(bin_dir):
    valid, malformed = list(valid_lines()), list(malformed_lines())
    with tempfile.TemporaryDirectory(prefix="decoder-conformance-") as scratch:
        scratch = Path(scratch).resolve()
        for name in ["mixed", "valid"]:
            (scratch / name).mkdir()
        half = len(valid) // 2

        mixed = Corpus()
        misplaced_bom = ("a byte order mark in the middle of a file", BOM + compact_json(ticket()).encode("utf-8"), None)
        mixed.add_file(scratch / "mixed" / "a.jsonl", interleave(valid[:half], [*malformed, misplaced_bom]))
        # With CRLF line ends and no final newline, valid and malformed lines at both ends of the file.
        lines = [malformed[0], *valid[half:-1], malformed[-1], valid[-1]]
        mixed.add_file(scratch / "mixed" / "b.ndjson", lines, b"\r\n", BOM, final_newline=False)
        mixed.add_file(scratch / "c.json", [malformed[1]], final_newline=False)
        clean = Corpus()
        clean.add_file(scratch / "valid" / "a.jsonl", valid[:half], bom=BOM)
        clean.add_file(scratch / "valid" / "b.jsonl", valid[half:], b"\r\n", final_newline=False)

        inputs = paths_below(scratch)
        output = scratch / "curated"
        expected_files = inputs | {"curated", ".curated.lock"}

        transform(bin_dir, output, "--input", scratch / "mixed", scratch / "c.json", expected_exit=3)
        found_manifest = check_output(output, mixed)
        counts = [{name: entry[name] for name in ["read", "written", "quarantined"]} for entry in found_manifest["inputs"]]
        check(counts == list(mixed.counts.values()), f"the manifest's inputs are {counts}, expected {mixed.counts}")
        check_quarantine(output, mixed.rejected)
        print(f"ok  {len(mixed.tickets)} valid lines accepted, {len(mixed.rejected)} malformed ones rejected")

        before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
        transform(bin_dir, output, "--on-error", "fail", "--input", scratch / "mixed", expected_exit=1)
        after = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
        check(before == after, "--on-error fail changed the output")
        print("ok  --on-error fail publishes nothing")

        # Removes the quarantine of the previous run.
        transform(bin_dir, output, "--input", scratch / "valid", expected_exit=0)
        check_output(output, clean)
        print(f"ok  {len(clean.tickets)} valid lines alone: exit code 0, no quarantine")

        source = scratch / "mixed" / "a.jsonl"
        piped = Corpus()
        piped.add_file(source, interleave(valid[:half], [*malformed, misplaced_bom]))
        transform(bin_dir, output, "--input", "-", stdin=source.read_bytes(), expected_exit=3)
        check_output(output, piped)
        check_quarantine(output, piped.rejected, display_path=lambda _: "standard input")
        print("ok  the same lines from standard input")

        stray_files = {path for path in paths_below(scratch) - expected_files if not path.startswith("curated/")}
        check(not stray_files, f"files outside the output directory: {stray_files}")
        print("ok  no file outside the output directory except its lock")


if __name__ == "__main__":
    main(*sys.argv[1:])
