"""Checks the dashboard's page in a browser: its numbers against DuckDB, security, accessibility and layout.

Usage: dashboard.py BIN_DIR OUTPUT_DIR (screenshots, the print version and the pages are written to OUTPUT_DIR)

Chromium opens each page from file:// with the network off. The numbers are read from what a user sees: the table of every
visual, its CSV export and the ticket count beside the filters. Each is compared with DuckDB's result over the Parquet files,
with the filters in the WHERE clause. Filters are applied by link, by clicks on the controls and by clicks into the charts.
The only test hook used is the attribute that marks the page as ready.

Uses the Chromium named by the environment variable CHROMIUM, else the one on the PATH (Debian: apt-get install chromium
fonts-inter), else Playwright's own (playwright install chromium).
"""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import axe_playwright_python
import duckdb
from playwright.sync_api import TimeoutError, sync_playwright

from contract import manifest

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><!--"

# The expected answer of each visual in DuckDB's SQL, over the view `filtered`. {period} applies to daily_volume alone: the
# last 30 complete days unless a period is selected.
ANSWERS = {
    "daily_volume": "SELECT day, count() FROM filtered WHERE {period} GROUP BY day ORDER BY day",
    "severity_distribution": """
        SELECT severity, count() AS n, 100 * n::DOUBLE / (SELECT count() FROM filtered) FROM filtered
        GROUP BY severity ORDER BY severity""",
    "sla_breach_rate": """
        WITH twice AS (
          FROM filtered SELECT 'All' AS name, sla_breached UNION ALL FROM filtered SELECT severity, sla_breached
        )
        SELECT name, count() AS n, count_if(sla_breached) AS missed, 100 * missed::DOUBLE / n FROM twice
        GROUP BY name ORDER BY name""",
    "average_resolution_time": """
        SELECT count(resolved_at) AS n, sum(resolution_seconds)::DOUBLE / n / 3600 FROM filtered HAVING n > 0""",
    "tickets_by_market": """
        SELECT market, count() AS n, 100 * n::DOUBLE / (SELECT count() FROM filtered) FROM filtered
        GROUP BY market ORDER BY n DESC, market""",
    "top_categories": """
        SELECT category, count() AS n, 100 * n::DOUBLE / (SELECT count() FROM filtered) FROM filtered
        GROUP BY category ORDER BY n DESC, category LIMIT 5""",
    "weekly_open_vs_closed": """
        SELECT day - (isodow(day) - 1)::INT AS week, count(), count() - count(resolved_at), count(resolved_at) FROM filtered
        GROUP BY week ORDER BY week""",
    "resolution_time_by_severity": """
        SELECT severity, count(resolved_at) AS n, sum(resolution_seconds)::DOUBLE / n / 3600 FROM filtered
        GROUP BY severity HAVING n > 0 ORDER BY severity""",
    "market_by_severity": """
        SELECT market, count_if(severity = 'P1'), count_if(severity = 'P2'), count_if(severity = 'P3'),
          count_if(severity = 'P4'), count() AS n
        FROM filtered GROUP BY market ORDER BY n DESC, market""",
    "open_p1_tickets": """
        SELECT ticket_id, strftime(created_at, '%Y-%m-%d %H:%M:%S'), market, dealer_id, category, model_series, model_year,
          status, floor((epoch(getvariable('as_of')) - epoch(created_at)) / 3600)::BIGINT, sla_breached, count() OVER ()
        FROM filtered WHERE severity = 'P1' AND resolved_at IS NULL ORDER BY created_at, ticket_id LIMIT 100""",
}

FILTERS = [
    {},
    {"market": ["DE"]},
    {"severity": ["P1", "P3"]},
    {"category": ["iDrive", "Brake"], "market": ["US", "CN", "AE"]},
    {"from": 40, "to": 20},
    {"to": 30, "severity": ["P2"], "market": ["DE", "GB"]},
    {"from": 8, "market": ["JP"], "severity": ["P1", "P2"], "category": ["Electrical", "Engine", "Other"]},
    {"market": ["DE"], "from": 3, "to": 3},
    {"market": ["ZZ"]},
]

failures = []


def check(holds, description):
    if not holds:
        failures.append(description)
        print("FAILED ", description)


class World:
    """A data set, its page, and a DuckDB connection over its Parquet files."""

    def __init__(self, bin_dir, output, name, count=None, arguments=(), raw=None):
        self.name, self.directory, self.page = name, output / name, output / f"{name}.html"
        tools = [Path(bin_dir) / tool for tool in ("generate", "transform", "dashboard", "query")]
        shutil.rmtree(self.directory, ignore_errors=True)
        self.curated = self.directory / "curated"
        if raw is None:
            run(tools[0], "--quiet", "--count", count, *arguments, "--output", self.directory / "raw")
            raw = self.directory / "raw"
        run(tools[1], "--quiet", "--input", raw, "--output", self.curated)
        started = time.time()
        run(tools[2], "--quiet", "--data", self.curated, "--output", self.page)
        self.seconds, self.query = time.time() - started, tools[3]
        self.manifest = manifest(self.curated)
        self.as_of = self.manifest["as_of"]
        self.engine = duckdb.connect(config={"autoinstall_known_extensions": False})
        self.engine.execute("SET TimeZone = 'UTC'")
        self.engine.execute("SET VARIABLE as_of = strptime(?, '%Y-%m-%dT%H:%M:%SZ')", [self.as_of])
        self.engine.execute(
            f"""CREATE TABLE tickets AS SELECT * REPLACE (created_at::TIMESTAMP AS created_at,
              resolved_at::TIMESTAMP AS resolved_at), created_at::TIMESTAMP::DATE AS day,
              date_diff('second', created_at, resolved_at) AS resolution_seconds
            FROM read_parquet('{self.curated}/tickets/*/*.parquet', hive_partitioning = true)"""
        )
        self.first, self.last = self.engine.execute("SELECT min(day), max(day) FROM tickets").fetchone()

    def with_dates(self, filters):
        """Converts ages in days to dates, none of them before the first ticket."""
        day = lambda age: self.engine.execute(
            "SELECT greatest(getvariable('as_of')::DATE - ?::INT, ?)", [age, self.first]
        ).fetchone()[0].isoformat()
        return {field: day(value) if field in ("from", "to") else value for field, value in filters.items()}

    def apply_filters(self, filters):
        conditions = ["true"]
        for field in ("market", "severity", "category"):
            if field in filters:
                conditions.append(f"{field} IN ({', '.join(repr(value) for value in filters[field])})")
        conditions += [f"day >= '{filters['from']}'"] if "from" in filters else []
        conditions += [f"day <= '{filters['to']}'"] if "to" in filters else []
        self.engine.execute(f"CREATE OR REPLACE VIEW filtered AS SELECT * FROM tickets WHERE {' AND '.join(conditions)}")

    def answer(self, visual, filters):
        has_period = "from" in filters or "to" in filters
        today = "getvariable('as_of')::DATE"
        period = "true" if has_period else f"day BETWEEN {today} - 30 AND {today} - 1"
        return self.engine.execute(ANSWERS[visual].format(period=period)).fetchall()

    def link(self, filters):
        parts = [f"{field}={','.join(map(quote, v)) if isinstance(v, list) else v}" for field, v in filters.items()]
        return f"file://{self.page.resolve()}" + (f"#{'&'.join(parts)}" if parts else "")


def run(*command):
    subprocess.run([str(word) for word in command], check=True)


def cell_matches(found, expected):
    """Tests if a cell of a table or a CSV shows the value; numbers have at most two decimals."""
    if isinstance(expected, bool):
        return found in (("true", "missed") if expected else ("false", "in time"))
    if isinstance(expected, (int, float)):
        text = found.replace(",", "")
        return re.fullmatch(r"-?\d+(\.\d{1,2})?", text) and abs(float(text) - expected) <= 0.005 + 1e-9
    return found == str(expected)


def check_rows(description, found, expected, n_columns=None):
    fits = len(found) == len(expected) and all(
        len(row) >= len(wanted) and all(map(cell_matches, row, wanted)) for row, wanted in zip(found, expected)
    )
    check(fits, f"{description}: {found[:4]}… ({len(found)}), expected {expected[:4]}… ({len(expected)})")


def export(page, visual, entry):
    """Returns the file that an entry of the visual's menu downloads.

    Pauses after each download, because Chromium silently drops more than ten downloads of a page within a second.
    """
    card = page.locator(f"#{visual}")
    card.get_by_role("button", name=re.compile(": save$")).click()
    with page.expect_download() as download:
        card.get_by_role("button", name=entry).click()
    page.wait_for_timeout(105)
    return Path(download.value.path()).read_bytes()


def export_csv(page, visual):
    return export(page, visual, "Save data as CSV").decode("utf-8")


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))[1:]


def shown_table(page, visual):
    """Returns the rows of the visual's table as displayed."""
    rows = page.locator(f"#{visual} tbody tr")
    return rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")


def check_numbers(page, world, filters, description):
    world.apply_filters(filters)
    for visual in ANSWERS:
        expected = world.answer(visual, filters)
        check_rows(f"{world.name}, {description}, CSV of {visual}", rows_of(export_csv(page, visual)), expected)
    page.get_by_role("button", name="Show all as tables").click()
    for visual in [visual for visual in ANSWERS if visual != "open_p1_tickets"]:
        check_rows(f"{world.name}, {description}, table of {visual}", shown_table(page, visual), world.answer(visual, filters))
    order = [1, 8, 9, 2, 3, 4, 5, 6, 7, 0]
    expected = [tuple(row[column] for column in order) for row in world.answer("open_p1_tickets", filters)]
    check_rows(f"{world.name}, {description}, table of open_p1_tickets", shown_table(page, "open_p1_tickets"), expected)
    page.get_by_role("button", name="Show all as tables").click()
    n = world.engine.execute("SELECT count() FROM filtered").fetchone()[0]
    is_shown = f"{n:,}" in page.get_by_role("status").inner_text()
    check(is_shown, f"{world.name}, {description}: the page does not show the count of {n:,} tickets")


def check_unfiltered_csv(page, world):
    """Checks that each CSV export without filters equals the CSV of `query` byte for byte."""
    for visual in [visual for visual in ANSWERS if visual != "average_resolution_time"]:
        command = [world.query, visual, "--data", world.curated, "--format", "csv"]
        expected = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
        check(export_csv(page, visual) == expected, f"{world.name}: the CSV of {visual} differs from that of query")


def apply_filters_by_click(page, filters):
    for field in ("market", "severity", "category"):
        if field in filters:
            page.locator(f"[aria-controls=filter-{field}]").click()
            for value in filters[field]:
                page.locator(f"#filter-{field} input[value='{value}']").check()
            page.keyboard.press("Escape")
    if "from" in filters or "to" in filters:
        page.locator("[aria-controls=filter-period]").click()
        for end in ("from", "to"):
            if end in filters:
                page.locator(f"#period-{end}").fill(filters[end])
        page.keyboard.press("Escape")


class Browser:
    def __init__(self, playwright):
        names = ("chromium", "chromium-browser", "google-chrome")
        path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
        try:
            self.browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Exception as error:
            help = "install it with `apt-get install chromium` or `playwright install --with-deps chromium`"
            sys.exit(f"FAILED  cannot start Chromium: {error}\nhelp: {help}")

    def open(self, address, allowed=("file:", "data:", "blob:"), **options):
        """Opens a page that reports every error, warning and dialog, and every request except those allowed."""
        options = {"viewport": {"width": 1280, "height": 900}, "offline": True} | options
        context = self.browser.new_context(accept_downloads=True, **options)
        page = context.new_page()
        page.on("console", lambda message: check(message.type not in ("error", "warning"), f"console: {message.text}"))
        page.on("pageerror", lambda error: check(False, f"error on the page: {error}"))
        page.on("dialog", lambda dialog: check(False, f"a dialog: {dialog.message}"))
        page.on("request", lambda request: check(request.url.startswith(allowed), f"request of {request.url}"))
        page.goto(address)
        page.wait_for_selector("html[data-ready]", timeout=30000)
        return page


def check_world(browser, world, filter_sets):
    page = browser.open(world.link({}))
    check_unfiltered_csv(page, world)
    page.context.close()
    for number, ages in enumerate(filter_sets):
        filters = world.with_dates(ages)
        page = browser.open(world.link(filters))
        check_numbers(page, world, filters, f"link {filters}")
        address = page.url
        page.context.close()
        if filters and filters != {"market": ["ZZ"]} and number % 2 == 1:
            page = browser.open(world.link({}))
            apply_filters_by_click(page, filters)
            fragment_of = lambda url: dict(part.split("=") for part in url.partition("#")[2].split("&"))
            check(fragment_of(page.url) == fragment_of(address), f"{world.name}: clicks for {filters} lead to {page.url}")
            check_numbers(page, world, filters, f"clicks {filters}")
            page.context.close()
    print("ok ", world.name, f"{world.page.stat().st_size:,} bytes, made in {world.seconds:.1f} s")


def expect_fragment(page, fragment, description):
    """Waits until the URL fragment is as expected, and for the page to follow it."""
    try:
        page.wait_for_function("wanted => location.hash === wanted", arg=fragment, timeout=5000)
    except TimeoutError:
        check(False, f"after {description} the URL is {page.url}, expected {fragment or 'no fragment'}")
    page.wait_for_timeout(100)


def click_chart(page, visual, x, y):
    """Clicks into a chart, at fractions of its width and height, after its animation has ended."""
    figure = page.locator(f"#{visual} .figure")
    figure.scroll_into_view_if_needed()
    page.wait_for_timeout(600)
    box = figure.bounding_box()
    figure.click(position={"x": box["width"] * x, "y": box["height"] * y})


def check_drill_down(browser, world):
    page = browser.open(world.link({}))
    click_chart(page, "tickets_by_market", 0.45, 0.06)
    expect_fragment(page, "#market=DE", "a click on the first bar")
    check_numbers(page, world, {"market": ["DE"]}, "drill-down by a bar")
    page.get_by_role("button", name="Remove filter Germany").click()
    expect_fragment(page, "", "removing the chip")
    check(page.get_by_role("status").inner_text().startswith("All "), "removing a chip does not remove its filter")
    click_chart(page, "market_by_severity", 0.92, 0.17)
    expect_fragment(page, "#market=DE&severity=P4", "a click on the cell at the upper right")
    check_numbers(page, world, {"market": ["DE"], "severity": ["P4"]}, "drill-down by a cell")
    click_chart(page, "severity_distribution", 0.5, 0.85)
    expect_fragment(page, "#market=DE", "a click on the selected slice")
    click_chart(page, "top_categories", 0.2, 0.2)
    world.apply_filters({"market": ["DE"]})
    category = world.answer("top_categories", {})[0][0]
    expect_fragment(page, f"#market=DE&category={category}", "a click on the largest rectangle")
    for _ in range(2):
        page.go_back()
    expect_fragment(page, "#market=DE&severity=P4", "going back")
    page.get_by_role("button", name="Reset all").click()
    expect_fragment(page, "", "reset")
    page.locator("#severity_distribution").get_by_role("button", name=re.compile("show as table")).click()
    page.locator("#severity_distribution").get_by_role("button", name="P2", exact=True).click()
    expect_fragment(page, "#severity=P2", "a click on a value in a table")
    page.context.close()
    print("ok  drill-down")


def check_sorting(browser, world):
    page = browser.open(world.link({}))
    headers = page.locator("#open_p1_tickets th")
    oldest = [row[0] for row in shown_table(page, "open_p1_tickets")]
    check(len(oldest) == 100 and oldest == sorted(oldest), "the 100 open P1 tickets are not sorted oldest first")
    page.locator("#open_p1_tickets th[data-column=dealer_id] button").click()
    dealers = [row[4] for row in shown_table(page, "open_p1_tickets")]
    check(dealers == sorted(dealers), "the table is not sorted by dealer")
    page.locator("#open_p1_tickets th[data-column=dealer_id] button").press("Enter")
    reversed_dealers = [row[4] for row in shown_table(page, "open_p1_tickets")]
    check(reversed_dealers == sorted(dealers, reverse=True), "the table is not sorted by dealer in descending order")
    check(headers.nth(4).get_attribute("aria-sort") == "descending", "aria-sort does not say descending")
    page.context.close()
    print("ok  sorting")


def check_image_export(browser, world, output):
    page = browser.open(world.link({"market": ["DE"]}))
    for visual in ANSWERS:
        for kind, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
            content = export(page, visual, f"Save image as {kind}")
            check(content.startswith(start) and len(content) > 2000, f"{kind} of {visual}: {len(content)} bytes")
            (output / f"{visual}.{kind.lower()}").write_bytes(content)
    page.context.close()
    print("ok  image export")


def check_keyboard(browser, world):
    page = browser.open(world.link({}))
    reached = []
    label = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(label))
    for name in ("Skip to the visuals", "Light or dark", "Market, all", "Severity, all", "Category, all", "Period, all"):
        check(name in reached, f"Tab does not reach {name}: {reached}")
    page.locator("[aria-controls=filter-market]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect_fragment(page, "#market=AE", "selecting a market by keyboard")
    page.keyboard.press("Escape")
    focused = page.evaluate("document.activeElement.getAttribute('aria-controls')")
    check(focused == "filter-market", f"after Escape the focus is on {focused}, expected filter-market")
    page.get_by_role("button", name="Remove filter United Arab Emirates").press("Enter")
    expect_fragment(page, "", "removing a chip by keyboard")
    focused = page.evaluate("document.activeElement.getAttribute('aria-controls')")
    check(focused == "filter-market", f"after removing a chip the focus is on {focused}, expected filter-market")
    page.locator("#tickets_by_market").get_by_role("button", name=re.compile("show as table")).press("Enter")
    page.locator("#tickets_by_market").get_by_role("button", name="GB", exact=True).press("Enter")
    expect_fragment(page, "#market=GB", "selecting a value in a table by keyboard")
    check(page.evaluate("document.activeElement.textContent") == "GB", "the focus does not stay on the value")
    page.context.close()
    print("ok  keyboard")


def check_accessibility(browser, world):
    axe = AXE.read_text(encoding="utf-8")
    for options in ({}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}):
        page = browser.open(world.link({"market": ["DE", "US"]}), bypass_csp=True, **options)
        page.evaluate(axe)
        for state in ("charts", "tables", "open panel"):
            if state == "tables":
                page.get_by_role("button", name="Show all as tables").click()
            if state == "open panel":
                page.locator("[aria-controls=filter-category]").click()
            page.wait_for_timeout(500)
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
            lines = [f"{v['id']} ({v['impact']}): {v['nodes'][0]['html'][:120]}" for v in found]
            check(not found, f"axe, {options}, {state}: {lines}")
        page.context.close()
    print("ok  axe")


def check_hostile_input(browser, world):
    page = browser.open(world.link({}))
    page.wait_for_timeout(300)
    check(page.title() != "owned", "a hostile ticket ran a script")
    check(HOSTILE in page.locator("#open_p1_tickets tbody").inner_text(), "a hostile text is not displayed verbatim")
    check(page.locator("img, #page script").count() == 0, "a hostile text created an element")
    check(page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "a long text overflows the page")
    text = export_csv(page, "open_p1_tickets")
    check(any(HOSTILE in row for row in rows_of(text)), "a hostile text is not exported verbatim")
    check(any("'=1+1" in row for row in rows_of(text)), "a formula is not escaped for spreadsheets")
    image = export(page, "open_p1_tickets", "Save image as PNG")
    check(image.startswith(b"\x89PNG"), "the image export fails for hostile texts")
    fragments = (
        "#market=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "#from=2026-99-99&to=x", "#" + "%F0%9F%98%80" * 500, "#market=%",
        "#constructor=1&market=__proto__",
    )
    for fragment in fragments:
        hostile = browser.open(world.link({}) + fragment)
        check(hostile.title() != "owned", f"the fragment {fragment} ran a script")
        hostile.context.close()
    page.context.close()
    print("ok  hostile input")


def check_serving(browser, bin_dir, output):
    """Checks that a served page reloads new data by itself and keeps its filters."""
    raw, curated = output / "served" / "raw", output / "served" / "curated"

    def make(count):
        run(Path(bin_dir) / "generate", "--quiet", "--count", count, "--as-of", "2026-11-22", "--output", raw)
        run(Path(bin_dir) / "transform", "--quiet", "--input", raw, "--output", curated)

    make(300)
    command = [Path(bin_dir) / "dashboard", "serve", "--port", "0", "--data", curated]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as server:
        address = re.search(r"http://\S+", server.stderr.readline())[0]
        page = browser.open(f"{address}#market=DE", allowed=(address,), offline=False)
        status = page.get_by_role("status")
        status.filter(has_text="of 300").wait_for()
        # Long enough for the page to record the version that it shows.
        page.wait_for_timeout(3000)
        make(700)
        status.filter(has_text="of 700").wait_for(timeout=30000)
        check(page.url.endswith("#market=DE"), f"the filters were lost: {page.url}")
        page.context.close()
        server.terminate()
    print("ok  serving")


def hostile_tickets(output):
    ticket = {
        "ticket_id": "00000000-0000-4000-8000-000000000001", "created_at": "2026-11-21T08:00:00Z",
        "updated_at": "2026-11-21T08:00:00Z", "resolved_at": None, "severity": "P1", "status": "Open", "category": "Engine",
        "channel": "Phone", "market": "DE", "dealer_id": HOSTILE, "customer_id": HOSTILE, "vin_last6": HOSTILE,
        "model_series": "=1+1", "model_year": 2024, "sla_breached": True,
    }
    file = output / "hostile.jsonl"
    others = ({}, {"model_series": "W" * 255}, {"model_series": "\U0001f697" * 60}, {"model_series": "\u0001\u202e\u05e9"})
    tickets = [ticket | other | {"ticket_id": ticket["ticket_id"][:-1] + str(n)} for n, other in enumerate(({}, *others))]
    file.write_text("".join(json.dumps(one) + "\n" for one in tickets))
    return file


def take_screenshots(browser, world, output):
    for width, height, scale in ((360, 740, 2), (1280, 800, 1), (3840, 2160, 1)):
        for scheme in ("light", "dark"):
            viewport = {"width": width, "height": height}
            page = browser.open(world.link({}), viewport=viewport, color_scheme=scheme, device_scale_factor=scale)
            page.wait_for_timeout(600)
            overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            check(overflow <= 0, f"at {width} px the page is {overflow} px too wide")
            page.screenshot(path=output / f"{world.name}-{width}-{scheme}.png", full_page=True)
            page.context.close()
    page = browser.open(world.link({}), color_scheme="dark")
    page.pdf(path=output / f"{world.name}.pdf", prefer_css_page_size=True, print_background=True)
    page.context.close()
    content = (output / f"{world.name}.pdf").read_bytes()
    pages = len(re.findall(rb"/Type\s*/Page\b", content))
    check(len(content) > 30000 and 1 <= pages <= 6, f"the print version has {pages} pages and {len(content)} bytes")
    print("ok  screenshots and print version")


def take_readme_screenshot(browser, world, output):
    page = browser.open(world.link({}), device_scale_factor=0.7)
    page.wait_for_timeout(600)
    page.screenshot(path=output / "readme.png", full_page=True)
    page.context.close()


def measure(browser, world):
    """Prints the milliseconds from navigation to a ready page, and from a filter change to the next frame."""
    opened, changed = [], []
    for _ in range(5):
        page = browser.open(world.link({}))
        opened.append(page.evaluate("performance.getEntriesByName('ready')[0].startTime"))
        changed.append(page.evaluate("""() => new Promise(done => {
            const start = performance.now();
            addEventListener('hashchange', () => requestAnimationFrame(() => done(performance.now() - start)));
            location.hash = 'market=DE';
        })"""))
        page.context.close()
    median = lambda values: sorted(values)[len(values) // 2]
    times = f"ready after {median(opened):.0f} ms, a filter takes {median(changed):.0f} ms"
    print(f"    {world.name}: {world.page.stat().st_size:,} bytes, {times}")


def main(bin_dir, output_dir):
    output = Path(output_dir)
    output.mkdir(parents=True, exist_ok=True)
    small = World(bin_dir, output, "small", 5000, ["--as-of", "2026-11-22T09:30:00Z"])
    crowded = World(bin_dir, output, "crowded", 80000, ["--days-back", 2, "--as-of", "2025-01-03T05:06:07Z"])
    hostile = World(bin_dir, output, "hostile", raw=hostile_tickets(output))
    afternoon = World(bin_dir, output, "afternoon", 50000, ["--as-of", "2026-11-18T17:45:00Z"])
    large = World(bin_dir, output, "large", 1_000_000, ["--as-of", "2026-11-22"])
    check(large.page.stat().st_size < 6_000_000, f"the page of a million tickets has {large.page.stat().st_size} bytes")
    with sync_playwright() as playwright:
        browser = Browser(playwright)
        check_world(browser, small, FILTERS)
        check_world(browser, crowded, FILTERS[:4])
        check_world(browser, large, FILTERS[::3])
        check_drill_down(browser, small)
        check_sorting(browser, crowded)
        check_image_export(browser, crowded, output)
        check_keyboard(browser, small)
        check_accessibility(browser, crowded)
        check_hostile_input(browser, hostile)
        check_serving(browser, bin_dir, output)
        take_screenshots(browser, small, output)
        take_screenshots(browser, crowded, output)
        take_readme_screenshot(browser, afternoon, output)
        for world in (small, large):
            measure(browser, world)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
