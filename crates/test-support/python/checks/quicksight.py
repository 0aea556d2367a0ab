"""Checks that the requests in infra/quicksight are valid and that the visuals show what the KPIs return.

Usage: quicksight.py BIN_DIR DATA_DIR (DATA_DIR holds raw/ and curated/ as `pipeline` makes them)

Each file must be a valid request by AWS's public service model: members, types, enumerations, patterns, lengths. Then every
visual is evaluated on DuckDB as defined: the data set's query over the Parquet files, the filters in the visual's scope, its
dimensions, calculated fields, sort order and limit. The result must equal the answer of `query` to the visual's KPI.
"""

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path

import botocore.session
import duckdb
from botocore.validate import ParamValidator

from aws_request_validator import violated_constraints
from contract import check, manifest

BUNDLE = Path(__file__).resolve().parents[4] / "infra/quicksight"
REQUESTS = {
    "data-source": "CreateDataSource",
    "data-set": "CreateDataSet",
    "dashboard": "CreateDashboard",
}
PLACEHOLDERS = {"<PARTITION>": "aws", "<REGION>": "eu-central-1", "<ACCOUNT_ID>": "123456789012"}

# For each visual: its KPI, and the KPI's columns that its rows must equal.
EXPECTED = {
    "daily_volume": ("daily_volume", ["day", "tickets"]),
    "sla_breach_rate": ("sla_breach_rate", ["breach_percentage"]),
    "average_resolution_time": ("resolution_time_by_severity", ["mean_hours"]),
    "severity_distribution": ("severity_distribution", ["severity", "tickets"]),
    "tickets_by_market": ("tickets_by_market", ["market", "tickets"]),
    "top_categories": ("top_categories", ["category", "tickets"]),
    "weekly_open_vs_closed": ("weekly_open_vs_closed", ["week", "open_tickets", "closed_tickets"]),
    "resolution_time_by_severity": ("resolution_time_by_severity", ["severity", "mean_hours"]),
    "open_p1_tickets": ("open_p1_tickets", [
        "created_at", "hours_since_created", "market", "dealer_id", "category", "model_series", "model_year", "status",
        "ticket_id",
    ]),
}
# The field wells with the fields that tickets are grouped by.
DIMENSIONS = ["Category", "Groups", "Rows", "Columns"]
VIEW = """
CREATE SCHEMA bmw_aftersales;
CREATE VIEW bmw_aftersales.tickets_enriched AS
SELECT
  * REPLACE (created_at::TIMESTAMP AS created_at),
  (epoch(resolved_at) - epoch(created_at)) / 3600 AS resolution_hours,
  floor((epoch(getvariable('as_of')) - epoch(created_at)) / 3600)::BIGINT AS hours_since_created
FROM read_parquet(getvariable('files'), hive_partitioning = true);
"""
# QuickSight's expression functions that DuckDB has under another name or with another order of arguments.
MACROS = """
CREATE MACRO now() AS getvariable('as_of')::TIMESTAMP;
CREATE MACRO truncDate(part, time) AS date_trunc(CASE part WHEN 'DD' THEN 'day' END, time);
CREATE MACRO addDateTime(n, part, time) AS time + to_days(n);
"""


def load(name):
    text = (BUNDLE / f"{name}.json").read_text(encoding="utf-8")
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return json.loads(text)


def check_request(model, name, request):
    shape = model.operation_model(REQUESTS[name]).input_shape
    parameters = request | {"AwsAccountId": PLACEHOLDERS["<ACCOUNT_ID>"]}
    report = ParamValidator().validate(parameters, shape)
    problems = report.generate_report().splitlines() or list(violated_constraints(parameters, shape, name))
    check(not problems, f"{name}.json is not a valid {REQUESTS[name]} request:\n  " + "\n  ".join(problems))
    print(f"ok  {name}.json is a valid {REQUESTS[name]} request")


def only(mapping):
    """Returns the only member of a union: its name and value."""
    ((name, value),) = mapping.items()
    return name, value


class Dashboard:
    """Translates a dashboard's definition into SQL."""

    def __init__(self, definition):
        self.calculated_fields = {field["Name"]: field["Expression"] for field in definition["CalculatedFields"]}
        self.groups = definition["FilterGroups"]
        (self.sheet,) = definition["Sheets"]

    def sql(self, column):
        return to_sql(self.calculated_fields[column]) if column in self.calculated_fields else f'"{column}"'

    def condition(self, visual_id):
        """Returns the condition of all filters in the scope of a visual."""
        conditions = ["true"]
        for group in self.groups:
            (scope,) = group["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"]
            if scope["Scope"] == "ALL_VISUALS" or visual_id in scope["VisualIds"]:
                conditions += [condition(*only(one)) for one in group["Filters"]]
        return " AND ".join(conditions)

    def query(self, visual):
        wells = visual["ChartConfiguration"]["FieldWells"]
        # Some visual types wrap their field wells in another object, others do not.
        fields = next(iter(wells.values())) if isinstance(next(iter(wells.values())), dict) else wells
        dimensions = [only(field) for name in DIMENSIONS for field in fields.get(name, [])]
        values = [field for name in ["Values", "Sizes"] for field in fields.get(name, [])]
        if "TableUnaggregatedFieldWells" in wells:
            selected = {field["FieldId"]: self.sql(field["Column"]["ColumnName"]) for field in values}
        else:
            measures = [only(field)[1] for field in values]
            selected = {field["FieldId"]: dimension(kind, field) for kind, field in dimensions}
            selected |= {field["FieldId"]: self.sql(field["Column"]["ColumnName"]) for field in measures}
        columns = ", ".join(f'{sql} AS "{field_id}"' for field_id, sql in selected.items())
        text = f"SELECT {columns} FROM tickets WHERE {self.condition(visual['VisualId'])}"
        if dimensions:
            text += f" GROUP BY {', '.join(str(i + 1) for i in range(len(dimensions)))}"
        return text + self.order(visual, selected)

    def order(self, visual, selected):
        found = sorts(visual["ChartConfiguration"].get("SortConfiguration", {}))
        keys = [f'"{sort["FieldId"]}" {sort["Direction"]}' for sort in found]
        are_selected = all(sort["FieldId"] in selected for sort in found)
        check(are_selected, f"{visual['VisualId']} is sorted by a field that it does not show")
        # QuickSight does not define the order of ties; the KPIs order them by name.
        keys += ["1"] * bool(keys)
        limit = next((f" LIMIT {n}" for n in limits(visual["ChartConfiguration"])), "")
        return (f" ORDER BY {', '.join(keys)}" if keys else "") + limit


def sorts(configuration):
    return [one["FieldSort"] for value in configuration.values() if isinstance(value, list) for one in value]


def limits(configuration):
    for name, value in configuration.get("SortConfiguration", {}).items():
        if name.endswith("ItemsLimitConfiguration"):
            yield value["ItemsLimit"]
        if name == "PaginationConfiguration":
            yield value["PageSize"]


def to_sql(expression):
    """Translates a QuickSight expression into SQL."""
    def cases(match):
        *pairs, otherwise = [part.strip() for part in match[1].split(",")]
        whens = " ".join(f"WHEN {test} THEN {value}" for test, value in zip(pairs[::2], pairs[1::2]))
        return f"(CASE {whens} ELSE {otherwise} END)"

    expression = re.sub(r"ifelse\(([^()]*)\)", cases, expression)
    check("percentOfTotal" not in expression, "percentOfTotal is not supported by this check")
    return re.sub(r"\{(\w+)\}", r'"\1"', expression)


def dimension(kind, field):
    column = f'"{field["Column"]["ColumnName"]}"'
    return f"date_trunc('{field['DateGranularity']}', {column})::DATE" if kind == "DateDimensionField" else column


def condition(kind, one):
    column = f'"{one["Column"]["ColumnName"]}"'
    if kind == "CategoryFilter":
        form, configuration = only(one["Configuration"])
        if form == "FilterListConfiguration":
            check(configuration["SelectAllOptions"] == "FILTER_ALL_VALUES", "a filter control must start without a filter")
            return "true"
        check(configuration["MatchOperator"] == "EQUALS", f"{configuration} is not supported by this check")
        return f"{column} = '{configuration['CategoryValue']}'"
    if kind == "NumericEqualityFilter":
        check(one["MatchOperator"] == "EQUALS", f"{one} is not supported by this check")
        return f"{column} = {one['Value']}"
    check(kind == "TimeRangeFilter", f"{kind} is not supported by this check")
    operators = [">=" if one["IncludeMinimum"] else ">", "<=" if one["IncludeMaximum"] else "<"]
    bounds = [bound_sql(one[name]) for name in ["RangeMinimumValue", "RangeMaximumValue"]]
    return " AND ".join(f"{column} {operator} {bound}" for operator, bound in zip(operators, bounds))


def bound_sql(bound):
    kind, value = only(bound)
    return value["Expression"] if kind == "RollingDate" else f"to_timestamp({value})::TIMESTAMP"


def is_same(found, expected):
    if isinstance(found, datetime.datetime):
        found = found.isoformat(sep=" ")
        return found == expected.removesuffix(".000").removesuffix("Z").replace("T", " ")
    if isinstance(found, datetime.date):
        found = found.isoformat()
    if isinstance(expected, float):
        # `query` rounds to two decimals.
        return isinstance(found, (int, float)) and abs(found - expected) <= 0.005 + 1e-9
    return found == expected


def expected_rows(visual_id, answers):
    name, columns = EXPECTED[visual_id]
    rows = [[row[column] for column in columns] for row in answers[name]]
    if visual_id == "sla_breach_rate":
        rows = [[row["breach_percentage"]] for row in answers[name] if row["severity"] == "All"]
    if visual_id == "average_resolution_time":
        total = sum(row["mean_hours"] * row["resolved_tickets"] for row in answers[name])
        rows = [[total / sum(row["resolved_tickets"] for row in answers[name])]]
    return rows


def check_visual(visual_id, found, answers):
    if visual_id == "resolution_time_by_severity":
        targets = {row[0]: row[-1] for row in found}
        check(targets == {"P1": 4, "P2": 8, "P3": 48, "P4": 120}, f"the SLA targets are {targets}")
        found = [row[:-1] for row in found]
    if visual_id == "market_by_severity":
        severities = ["p1", "p2", "p3", "p4"]
        cells = [(row["market"], name.upper(), row[name]) for row in answers[visual_id] for name in severities]
        expected = sorted(cell for cell in cells if cell[-1])
        check(sorted(found) == expected, f"{visual_id}: {sorted(found)[:3]}…, expected {expected[:3]}…")
        return
    expected = expected_rows(visual_id, answers)
    same = len(found) == len(expected) and all(all(map(is_same, *rows)) for rows in zip(found, expected))
    check(same, f"{visual_id}: {found[:5]}…, expected {expected[:5]}…")


def main(bin_dir, data_dir):
    model = botocore.session.Session().get_service_model("quicksight")
    bundle = {name: load(name) for name in REQUESTS}
    for name, request in bundle.items():
        check_request(model, name, request)

    curated = Path(data_dir) / "curated"
    command = [Path(bin_dir) / "query", "--data", curated, "--format", "json", "--quiet"]
    output = json.loads(subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout)
    answers = {answer["name"]: answer["rows"] for answer in output["answers"]}
    engine = duckdb.connect(config={"autoinstall_known_extensions": False})
    engine.execute("SET TimeZone = 'UTC'")
    engine.execute("SET VARIABLE as_of = strptime(?, '%Y-%m-%dT%H:%M:%SZ')", [output["as_of"]])
    files = [str(curated / file["name"]) for file in manifest(curated)["files"]]
    engine.execute("SET VARIABLE files = ?", [[file for file in files if file.endswith(".parquet")]])
    engine.execute(VIEW)
    engine.execute(MACROS)
    _, table = only(bundle["data-set"]["PhysicalTableMap"]["tickets"])
    engine.execute(f"CREATE TABLE tickets AS {table['SqlQuery']}")
    columns = [row[0] for row in engine.execute("DESCRIBE tickets").fetchall()]
    check(columns == [column["Name"] for column in table["Columns"]], f"the query returns the columns {columns}")

    dashboard = Dashboard(bundle["dashboard"]["Definition"])
    visuals = [only(visual)[1] for visual in dashboard.sheet["Visuals"]]
    names = {visual["VisualId"] for visual in visuals}
    check(names == EXPECTED.keys() | {"market_by_severity"}, f"the visuals are {names}")
    for visual in visuals:
        found = engine.execute(dashboard.query(visual)).fetchall()
        check_visual(visual["VisualId"], found, answers)
        print(f"ok  {visual['VisualId']}, {len(found)} rows")


if __name__ == "__main__":
    main(*sys.argv[1:])
