"""Proves that `transform` takes every well-formed ticket, however it is written, and refuses every line that is not one.

Usage: decoder_conformance.py BIN_DIR

The corpus holds tickets in every form that JSON, RFC 3339 and the contract allow, and broken lines between them, in files
with and without byte order mark, carriage returns and final newline. What is taken must come out of Parquet as it was
meant. What is refused must be in quarantine byte for byte, with the place where it stood and the field at fault; nothing is
lost, nothing is counted twice, and nothing lies outside the output directory. With good lines alone the exit code is 0,
with broken ones 3.
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
NUMBERS = itertools.count(1)


def ticket(**changes):
    """A ticket that keeps the contract but for what is changed, with a ticket_id that no other has."""
    return {
        "ticket_id": f"5eed0000-0000-4000-8000-{next(NUMBERS):012x}",
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


def text_of(ticket):
    return json.dumps(ticket, ensure_ascii=False, separators=(",", ":"))


def utc(*parts):
    return datetime(*parts, tzinfo=timezone.utc)


def good_lines():
    """(what is special, the line, the ticket that it means). Times are meant as points in time."""

    def good(what, text, meant):
        return what, text if isinstance(text, bytes) else text.encode("utf-8"), meant

    def same(what, meant, write):
        return good(what, write(meant), with_times(meant))

    yield same("as generate writes it", ticket(), text_of)
    yield same("keys in reverse", ticket(), lambda t: text_of(dict(reversed(t.items()))))
    yield same("spaces and tabs", ticket(), lambda t: " \t" + json.dumps(t, separators=("\t, ", " :\t")) + "\t ")
    yield same("carriage returns between tokens", ticket(), lambda t: text_of(t).replace(",", ",\r") + "\r")
    yield same("ASCII only", ticket(), json.dumps)
    yield same("an escaped key", ticket(), lambda t: text_of(t).replace('"market"', r'"\u006d\u0061rket"'))
    yield same("an escaped fixed text", ticket(), lambda t: text_of(t).replace('"Closed"', r'"\u0043losed"'))
    yield same("an escaped time", ticket(), lambda t: text_of(t).replace("2024-02-28", r"2024\u002D02\u002d28"))
    every_escape = ticket(model_series='"\\/\b\f\n\r\té€🚗')
    escaped = r"\"\\\/\b\f\n\r\t\u00e9\u20AC\uD83D\ude97"
    yield same("every escape", every_escape, lambda t: text_of(t | {"model_series": "@"}).replace("@", escaped))
    yield same("four bytes a character", ticket(model_series="🚗"), text_of)
    # To Unicode some of these end a line; to JSON-Lines only a newline does.
    yield same("odd line ends in a text", ticket(model_series="a\u2028b\u2029c\u0085d\x7f"), text_of)
    yield same("unresolved", ticket(resolved_at=None, status="Waiting"), text_of)
    yield same("changed when opened", ticket(resolved_at=None, status="Open", updated_at="2024-02-28T23:59:59Z"), text_of)
    yield same("resolved when opened", ticket(resolved_at="2024-02-28T23:59:59Z"), text_of)
    yield same("not changed since resolved", ticket(updated_at="2024-02-29T12:00:00Z"), text_of)
    yield same("a market seen never before", ticket(market="NO", dealer_id="DLR-NO-001"), text_of)
    yield same("255 bytes", ticket(dealer_id="x" * 255, model_series="é" * 127 + "x"), text_of)

    extra = '"extra":{"market":"../x","a":[1,{"b":null}],"market":2},"e":[-0.5e-400,1E400,true,"\\ud83d\\ude97"],"":{}'
    yield same("further fields", ticket(), lambda t: "{" + extra + "," + text_of(t)[1:-1] + "," + extra + "}")
    deep = '"deep":' + "[" * 500 + "]" * 500
    yield same("a deep further field", ticket(), lambda t: "{" + deep + "," + text_of(t)[1:])

    upper = ticket()
    yield good("a UUID in capitals", text_of(upper | {"ticket_id": upper["ticket_id"].upper()}), with_times(upper))

    for written, meant in {
        "2024-02-29T00:00:00+00:00": utc(2024, 2, 29),
        "2024-02-29T00:00:00-00:00": utc(2024, 2, 29),
        "2024-02-29T05:45:00+05:45": utc(2024, 2, 29),
        "2024-02-28T14:30:00-09:30": utc(2024, 2, 29),
        "2024-03-01T00:00:00+14:00": utc(2024, 2, 29, 10),
        "2024-02-29T00:00:00.5Z": utc(2024, 2, 29, 0, 0, 0, 500_000),
        "2024-02-29T01:00:00.123999999999+01:00": utc(2024, 2, 29, 0, 0, 0, 123_000),
        "2024-02-29T00:00:00.0000000Z": utc(2024, 2, 29),
        # Before 1970 too a fraction is cut off, not rounded towards 1970.
        "1969-12-31T23:59:59.9999Z": utc(1969, 12, 31, 23, 59, 59, 999_000),
        "2000-02-29T23:59:59Z": utc(2000, 2, 29, 23, 59, 59),
    }.items():
        base = ticket()
        yield good(f"the time {written}", text_of(base | {"created_at": written}), with_times(base) | {"created_at": meant})


def broken_lines():
    """(what is wrong, the line, the field at fault or None for the line as a whole)."""

    def of_line(what, line):
        return what, line if isinstance(line, bytes) else line.encode("utf-8"), None

    def of_field(field, value, what="the value"):
        return f"{field}: {what} {value!r:.40}", text_of(ticket(**{field: value})).encode("utf-8"), field

    def of_number(text, field):
        line = text_of(ticket()).replace(":2024,", f":{text},")
        return f"model_year: {text}", line.encode("utf-8"), field

    # Lines that are no JSON object.
    whole = text_of(ticket())
    for end in [1, 2, 20, len(whole) // 2, whole.index("é"), len(whole) - 5, len(whole) - 1]:
        yield of_line(f"cut after {end} characters", whole[:end])
    yield of_line("cut in an escape", whole[: whole.index("é")] + "\\u00")
    yield of_line("cut in a character", whole[: whole.index("é") + 1].encode("utf-8")[:-1])
    for garbage in ["x", " x", "}", ",", "\x00", "\f", "\u00a0", "// why"]:
        yield of_line(f"trailing {garbage!r}", whole + garbage)
    yield of_line("two objects", whole + text_of(ticket()))
    yield of_line("two objects and a space", whole + " " + text_of(ticket()))
    yield of_line("two objects and a comma", whole + "," + text_of(ticket()))
    for line in [f"[{whole}]", "[]", '"text"', "2024", "null", "true", "ticket_id,created_at", "\x00", "\x1a", "\\"]:
        yield of_line(f"not an object: {line[:20]!r}", line)
    yield of_line("single quotes", whole.replace('"', "'"))
    yield of_line("keys without quotes", whole.replace('"market"', "market"))
    yield of_line("a comma too many", whole.replace("}", ",}"))
    yield of_line("a comma missing", whole.replace(',"market"', ' "market"'))
    yield of_line("a colon missing", whole.replace('"market":', '"market" '))
    yield of_line("a comment", whole.replace("{", "{/* why */"))
    yield of_line("True", whole.replace("true", "True"))
    for text in ["NaN", "Infinity", "-Infinity", "02024", "+2024", "2024.", ".5", "0x7E8", "2_024", "20 24", ""]:
        yield of_number(text, None)
    yield of_line("NaN in a further field", whole.replace("{", '{"extra":NaN,'))

    # Texts that are none.
    for what, bad in {
        "a lone byte": b"\xff",
        "a Latin-1 e acute": b"\xe9",
        "an overlong slash": b"\xc0\xaf",
        "a surrogate in UTF-8": b"\xed\xa0\x80",
        "a tab": b"\t",
        "a NUL": b"\x00",
        "a carriage return": b"\r",
        "an escape of nothing": b"\\x41",
        "an escape with bad digits": b"\\u00g0",
        "a lone high surrogate": b"\\ud83d",
        "a lone low surrogate": b"\\ude97",
        "a high surrogate and a letter": b"\\ud83d\\u0041",
    }.items():
        yield of_line(f"{what} in a text", whole.encode("utf-8").replace(b"BMW App", b"BMW App" + bad))
    for bad in [b"\xff", b"\x01"]:
        yield of_line(f"{bad} in a further field", whole.encode("utf-8").replace(b"{", b'{"extra":"' + bad + b'",'))

    # Fields that are missing, there twice, null or of another kind.
    yield "an empty object", b"{}", "ticket_id"
    for field in FIELDS:
        fields = ticket()
        value = fields.pop(field)
        without = text_of(fields)
        again = f'"{field}":{json.dumps(value)},'
        escaped = f'"\\u{ord(field[0]):04x}{field[1:]}":{json.dumps(value)},'
        yield f"{field} is missing", without.encode("utf-8"), field
        yield f"{field} in other letters", without.replace("{", "{" + again.replace(field, field.upper())).encode(), field
        yield f"{field} only further down", without.replace("{", '{"extra":{' + again[:-1] + "},").encode("utf-8"), field
        yield f"{field} is there twice", without.replace("{", "{" + again * 2).encode("utf-8"), field
        yield f"{field} is there twice, once escaped", without.replace("{", "{" + again + escaped).encode("utf-8"), field
        yield f"{field} is null and then there", without.replace("{", f'{{"{field}":null,' + again).encode("utf-8"), field
        if field != "resolved_at":
            yield of_field(field, None)
        for other in [0, 1.5, True, str(value), [value], {field: value}, {}, []]:
            if type(other) is not type(value):
                yield of_field(field, other, "the kind of")

    # Values of the right kind that the contract does not know.
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
            yield of_field(field, value)
    for text in ["1e3", "2024.0", "2147483648", "-2147483649", "18446744073709551616", "20.24e2"]:
        yield of_number(text, "model_year")

    # Times that do not exist, or are not RFC 3339.
    for field in ["created_at", "updated_at", "resolved_at"]:
        for time in [
            "", "now", "2024-02-29", "2024-02-29T12:00Z", "2024-02-29T12:00:00", "2024-02-29 12:00:00Z",
            "2024-02-29T12:00:00+0100", "2024-02-29T12:00:00+24:00", "2024-02-29T12:00:00+01:60", "2024-02-29T12:00:00.Z",
            "2024-02-29T12:00:00Z ", "20240229T120000Z", "24-02-29T12:00:00Z", "2024-2-29T12:00:00Z", "1709208000",
            "2024-02-30T12:00:00Z", "2023-02-29T12:00:00Z", "1900-02-29T12:00:00Z", "2024-04-31T12:00:00Z",
            "2024-13-01T12:00:00Z", "2024-00-01T12:00:00Z", "2024-02-00T12:00:00Z", "2024-02-29T24:00:00Z",
            "2024-02-29T12:60:00Z", "2024-02-29T12:00:61Z", "２024-02-29T12:00:00Z",
        ]:
            yield of_field(field, time)

    # Rules between fields: created_at <= resolved_at <= updated_at, and resolved_at as the status says.
    yield of_field("updated_at", "2024-02-28T23:59:58Z", "before created_at,")
    yield of_field("updated_at", "2024-02-29T01:00:00+02:00", "before created_at in UTC,")
    yield of_field("resolved_at", "2024-02-28T23:59:58Z", "before created_at,")
    yield of_field("resolved_at", "2024-02-28T23:59:58.999999999Z", "a billionth before created_at,")
    yield of_field("resolved_at", "2024-03-02T08:00:01Z", "after updated_at,")
    yield of_field("resolved_at", "2024-03-02T08:00:00.000000001Z", "a billionth after updated_at,")
    for status in ["Open", "In Progress", "Waiting"]:
        yield f"resolved, but {status}", text_of(ticket(status=status)).encode("utf-8"), "resolved_at"
    for status in ["Resolved", "Closed"]:
        yield f"{status}, but not resolved", text_of(ticket(status=status, resolved_at=None)).encode("utf-8"), "resolved_at"


class Corpus:
    """Files of lines, and what is to become of each line."""

    def __init__(self):
        self.tickets = {}
        self.refused = []
        self.counts = {}

    def add_file(self, path, lines, newline=b"\n", bom=b"", final_newline=True):
        """Writes a file of (what, line, outcome): a ticket, the field at fault or None, or "blank"."""
        content, n_written, n_refused = bom, 0, 0
        for number, (what, line, outcome) in enumerate(lines, start=1):
            end = newline if final_newline or number < len(lines) else b""
            if isinstance(outcome, dict):
                self.tickets[outcome["ticket_id"]] = outcome
                n_written += 1
            elif outcome != "blank":
                # A carriage return before the newline belongs to the line as it came.
                as_it_came = line + end.removesuffix(b"\n")
                self.refused.append((what, path, number, len(content), as_it_came, outcome))
                n_refused += 1
            content += line + end
        path.write_bytes(content)
        self.counts[path] = {"read": n_written + n_refused, "written": n_written, "quarantined": n_refused}

    def rows(self):
        return {name: sum(counts[name] for counts in self.counts.values()) for name in ["read", "written", "quarantined"]}


def mixed(good, broken):
    """Good and blank lines spread among the broken ones, so that a slip at one line would show at the next."""
    blanks = itertools.cycle([("empty", b"", "blank"), ("spaces", b" \t ", "blank"), ("a return", b"\r", "blank")])
    good = iter(good)
    lines = []
    for number, line in enumerate(broken):
        lines.append(line)
        if number % 5 == 0:
            lines.append(next(blanks))
            lines += itertools.islice(good, 1)
    return lines + list(good)


def paths_below(directory):
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*")}


def check_quarantine(output, refused, shown=str):
    """The refused lines, byte for byte and in order, and why each of them is there."""
    lines = (output / "_quarantine" / "rejected.jsonl").read_bytes()
    reasons = (output / "_quarantine" / "_reasons.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    reasons = [json.loads(reason) for reason in reasons]
    for reason, (what, path, number, offset, line, field) in zip(reasons, refused):
        place = (reason["file"], reason["line"], reason["byte_offset"])
        expected = (shown(path), number, offset)
        check(place == expected, f"{what}: in quarantine with {place}, expected {expected}; the line is {line[:300]}")
        with path.open("rb") as file:
            file.seek(reason["byte_offset"])
            check(file.read(len(line)) == line, f"{what}: is not at byte {offset} of {path}")
        check(reason["field"] == field, f"{what}: because of the field {reason['field']}, expected {field}; {reason}")
        check(isinstance(reason["reason"], str) and reason["reason"], f"{what}: without a reason")
    check(len(reasons) == len(refused), f"{len(reasons)} reasons for {len(refused)} refused lines")
    expected = b"".join(line + b"\n" for _, _, _, _, line, _ in refused)
    check(lines == expected, "the lines in quarantine are not those of the input, byte for byte")


def check_output(output, corpus):
    """What is in Parquet, what the manifest says, and that nothing else is there."""
    partitioning = pa.dataset.partitioning(pa.schema([("market", pa.string())]), flavor="hive")
    rows = pa.dataset.dataset(output / "tickets", format="parquet", partitioning=partitioning).to_table().to_pylist()
    found = {row["ticket_id"]: row for row in rows}
    check(len(found) == len(rows), f"{len(rows) - len(found)} tickets were written twice")
    for what, _, _, _, line, _ in corpus.refused:
        taken = [ticket_id for ticket_id in found.keys() - corpus.tickets.keys() if ticket_id.encode() in line]
        check(not taken, f"{what}: was taken, but should be refused: {line[:400]}")
    check_same_tickets(found, corpus.tickets, "transform")

    says = manifest(output)
    check(says["rows"] == corpus.rows(), f"the manifest's rows are {says['rows']}, expected {corpus.rows()}")
    expected_files = {"_manifest.json", "tickets"}
    markets = {ticket["market"] for ticket in corpus.tickets.values()}
    for market in markets:
        expected_files |= {f"tickets/market={market}", f"tickets/market={market}/part-0.parquet"}
    if corpus.refused:
        expected_files |= {"_quarantine", "_quarantine/rejected.jsonl", "_quarantine/_reasons.jsonl"}
    check(paths_below(output) == expected_files, f"the output is {sorted(paths_below(output))}")
    return says


def transform(bin_dir, output, *arguments, stdin=None, expected_exit):
    command = [Path(bin_dir) / "transform", "--output", output, "--quiet", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True)
    messages = done.stderr.decode("utf-8", "replace")[:1000]
    check(done.returncode == expected_exit, f"exit code {done.returncode}, expected {expected_exit}: {messages}")


def main(bin_dir):
    good, broken = list(good_lines()), list(broken_lines())
    with tempfile.TemporaryDirectory(prefix="dirty-") as scratch:
        scratch = Path(scratch).resolve()
        for name in ["mixed", "good"]:
            (scratch / name).mkdir()
        half = len(good) // 2

        dirty = Corpus()
        inner_bom = ("a byte order mark in the middle of a file", BOM + text_of(ticket()).encode("utf-8"), None)
        dirty.add_file(scratch / "mixed" / "a.jsonl", mixed(good[:half], [*broken, inner_bom]))
        # A line that is good or bad because of its end alone would give itself away here.
        lines = [broken[0], *good[half:-1], broken[-1], good[-1]]
        dirty.add_file(scratch / "mixed" / "b.ndjson", lines, b"\r\n", BOM, final_newline=False)
        dirty.add_file(scratch / "c.json", [broken[1]], final_newline=False)
        clean = Corpus()
        clean.add_file(scratch / "good" / "a.jsonl", good[:half], bom=BOM)
        clean.add_file(scratch / "good" / "b.jsonl", good[half:], b"\r\n", final_newline=False)

        inputs = paths_below(scratch)
        output = scratch / "curated"
        outside = inputs | {"curated", ".curated.lock"}

        transform(bin_dir, output, "--input", scratch / "mixed", scratch / "c.json", expected_exit=3)
        says = check_output(output, dirty)
        counts = [{name: entry[name] for name in ["read", "written", "quarantined"]} for entry in says["inputs"]]
        check(counts == list(dirty.counts.values()), f"the manifest's inputs are {counts}, expected {dirty.counts}")
        check_quarantine(output, dirty.refused)
        print(f"ok  {len(dirty.tickets)} good lines are taken, {len(dirty.refused)} broken ones refused")

        before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
        transform(bin_dir, output, "--on-error", "fail", "--input", scratch / "mixed", expected_exit=1)
        after = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
        check(before == after, "with --on-error fail something was published")
        print("ok  --on-error fail publishes nothing")

        # The quarantine of the run before must go.
        transform(bin_dir, output, "--input", scratch / "good", expected_exit=0)
        check_output(output, clean)
        print(f"ok  {len(clean.tickets)} good lines alone: exit code 0, and no quarantine")

        source = scratch / "mixed" / "a.jsonl"
        piped = Corpus()
        piped.add_file(source, mixed(good[:half], [*broken, inner_bom]))
        transform(bin_dir, output, "--input", "-", stdin=source.read_bytes(), expected_exit=3)
        check_output(output, piped)
        check_quarantine(output, piped.refused, shown=lambda _: "standard input")
        print("ok  the same through standard input")

        elsewhere = {path for path in paths_below(scratch) - outside if not path.startswith("curated/")}
        check(not elsewhere, f"outside the output directory there is {elsewhere}")
        print("ok  nothing lies outside the output directory but its lock")


if __name__ == "__main__":
    main(*sys.argv[1:])
