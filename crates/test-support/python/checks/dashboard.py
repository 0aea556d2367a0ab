"""Proves the dashboard's page in a real browser: its numbers by another engine, and that it is safe, reachable and complete.

Usage: dashboard.py BIN_DIR OUTPUT_DIR (OUTPUT_DIR gets the screenshots, the print and the pages)

Chromium opens each page from file:// with the network off. What a person can read is read: the tables that every visual
offers, the CSV that it saves, the count beside the filters. Each number is held against DuckDB's over the Parquet files,
with the filters as a WHERE; filters are applied by clicks, by links and by clicks into the pictures. Nothing here uses a
hook of the page but the mark that it is ready.

Chromium is that of CHROMIUM, or else of the PATH (Debian: apt-get install chromium fonts-inter), or else Playwright's own
(playwright install chromium).
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

# What each visual must answer, in DuckDB's words, over the view `chosen`. {period} is for daily_volume alone: its last 30
# complete days unless a period is chosen.
ANSWERS = {
    "daily_volume": "SELECT day, count() FROM chosen WHERE {period} GROUP BY day ORDER BY day",
    "severity_distribution": """
        SELECT severity, count() AS n, 100 * n::DOUBLE / (SELECT count() FROM chosen) FROM chosen
        GROUP BY severity ORDER BY severity""",
    "sla_breach_rate": """
        WITH twice AS (FROM chosen SELECT 'All' AS name, sla_breached UNION ALL FROM chosen SELECT severity, sla_breached)
        SELECT name, count() AS n, count_if(sla_breached) AS missed, 100 * missed::DOUBLE / n FROM twice
        GROUP BY name ORDER BY name""",
    "average_resolution_time": """
        SELECT count(resolved_at) AS n, sum(resolution_seconds)::DOUBLE / n / 3600 FROM chosen HAVING n > 0""",
    "tickets_by_market": """
        SELECT market, count() AS n, 100 * n::DOUBLE / (SELECT count() FROM chosen) FROM chosen
        GROUP BY market ORDER BY n DESC, market""",
    "top_categories": """
        SELECT category, count() AS n, 100 * n::DOUBLE / (SELECT count() FROM chosen) FROM chosen
        GROUP BY category ORDER BY n DESC, category LIMIT 5""",
    "weekly_open_vs_closed": """
        SELECT day - (isodow(day) - 1)::INT AS week, count(), count() - count(resolved_at), count(resolved_at) FROM chosen
        GROUP BY week ORDER BY week""",
    "resolution_time_by_severity": """
        SELECT severity, count(resolved_at) AS n, sum(resolution_seconds)::DOUBLE / n / 3600 FROM chosen
        GROUP BY severity HAVING n > 0 ORDER BY severity""",
    "market_by_severity": """
        SELECT market, count_if(severity = 'P1'), count_if(severity = 'P2'), count_if(severity = 'P3'),
          count_if(severity = 'P4'), count() AS n
        FROM chosen GROUP BY market ORDER BY n DESC, market""",
    "open_p1_tickets": """
        SELECT ticket_id, strftime(created_at, '%Y-%m-%d %H:%M:%S'), market, dealer_id, category, model_series, model_year,
          status, floor((epoch(getvariable('as_of')) - epoch(created_at)) / 3600)::BIGINT, sla_breached, count() OVER ()
        FROM chosen WHERE severity = 'P1' AND resolved_at IS NULL ORDER BY created_at, ticket_id LIMIT 100""",
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


def check(holds, what):
    if not holds:
        failures.append(what)
        print("FAILED ", what)


class World:
    """A data set, its page, and DuckDB over its Parquet files."""

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

    def at(self, filters):
        """The filters with days instead of ages in days, and none of them before the first ticket."""
        day = lambda age: self.engine.execute(
            "SELECT greatest(getvariable('as_of')::DATE - ?::INT, ?)", [age, self.first]
        ).fetchone()[0].isoformat()
        return {field: day(value) if field in ("from", "to") else value for field, value in filters.items()}

    def choose(self, filters):
        conditions = ["true"]
        for field in ("market", "severity", "category"):
            if field in filters:
                conditions.append(f"{field} IN ({', '.join(repr(value) for value in filters[field])})")
        conditions += [f"day >= '{filters['from']}'"] if "from" in filters else []
        conditions += [f"day <= '{filters['to']}'"] if "to" in filters else []
        self.engine.execute(f"CREATE OR REPLACE VIEW chosen AS SELECT * FROM tickets WHERE {' AND '.join(conditions)}")

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


def same(found, expected):
    """Whether a cell of a table or a CSV says the value; numbers are shown with two decimals at most."""
    if isinstance(expected, bool):
        return found in (("true", "missed") if expected else ("false", "in time"))
    if isinstance(expected, (int, float)):
        text = found.replace(",", "")
        return re.fullmatch(r"-?\d+(\.\d{1,2})?", text) and abs(float(text) - expected) <= 0.005 + 1e-9
    return found == str(expected)


def compare(what, found, expected, n_columns=None):
    fits = len(found) == len(expected) and all(
        len(row) >= len(wanted) and all(map(same, row, wanted)) for row, wanted in zip(found, expected)
    )
    check(fits, f"{what}: {found[:4]}… ({len(found)}), expected {expected[:4]}… ({len(expected)})")


def saved(page, visual, entry):
    """What an entry of the visual's menu saves.

    Chromium begins at most ten downloads of a page within a second and drops more without a word: each waits a tenth."""
    card = page.locator(f"#{visual}")
    card.get_by_role("button", name=re.compile(": save$")).click()
    with page.expect_download() as download:
        card.get_by_role("button", name=entry).click()
    page.wait_for_timeout(105)
    return Path(download.value.path()).read_bytes()


def saved_csv(page, visual):
    return saved(page, visual, "Save data as CSV").decode("utf-8")


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))[1:]


def shown_table(page, visual):
    """The rows of the visual's table as a person sees them."""
    rows = page.locator(f"#{visual} tbody tr")
    return rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")


def check_numbers(page, world, filters, what):
    world.choose(filters)
    for visual in ANSWERS:
        expected = world.answer(visual, filters)
        compare(f"{world.name}, {what}, CSV of {visual}", rows_of(saved_csv(page, visual)), expected)
    page.get_by_role("button", name="Show all as tables").click()
    for visual in [visual for visual in ANSWERS if visual != "open_p1_tickets"]:
        compare(f"{world.name}, {what}, table of {visual}", shown_table(page, visual), world.answer(visual, filters))
    expected = [(row[1], row[8], row[9], row[2], row[3], row[4], row[5], row[6], row[7], row[0]) for row in world.answer("open_p1_tickets", filters)]
    compare(f"{world.name}, {what}, table of open_p1_tickets", shown_table(page, "open_p1_tickets"), expected)
    page.get_by_role("button", name="Show all as tables").click()
    n = world.engine.execute("SELECT count() FROM chosen").fetchone()[0]
    check(f"{n:,}" in page.get_by_role("status").inner_text(), f"{world.name}, {what}: the count of tickets is {n:,}")


def check_at_rest(page, world):
    """Without filters each CSV is, byte for byte, what `query` gives."""
    for visual in [visual for visual in ANSWERS if visual != "average_resolution_time"]:
        command = [world.query, visual, "--data", world.curated, "--format", "csv"]
        expected = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
        check(saved_csv(page, visual) == expected, f"{world.name}: the CSV of {visual} is that of query")


def choose_by_clicks(page, filters):
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
            sys.exit(f"FAILED  no Chromium: {error}\nrun `apt-get install chromium` or `playwright install --with-deps chromium`")

    def open(self, address, fine=("file:", "data:", "blob:"), **options):
        """A page that reports every error, warning, dialog and request, but those that are fine."""
        options = {"viewport": {"width": 1280, "height": 900}, "offline": True} | options
        context = self.browser.new_context(accept_downloads=True, **options)
        page = context.new_page()
        page.on("console", lambda message: check(message.type not in ("error", "warning"), f"console: {message.text}"))
        page.on("pageerror", lambda error: check(False, f"error on the page: {error}"))
        page.on("dialog", lambda dialog: check(False, f"a dialog: {dialog.message}"))
        page.on("request", lambda request: check(request.url.startswith(fine), f"request of {request.url}"))
        page.goto(address)
        page.wait_for_selector("html[data-ready]", timeout=30000)
        return page


def check_world(browser, world, filter_sets):
    page = browser.open(world.link({}))
    check_at_rest(page, world)
    page.context.close()
    for number, chosen in enumerate(filter_sets):
        filters = world.at(chosen)
        page = browser.open(world.link(filters))
        check_numbers(page, world, filters, f"link {filters}")
        address = page.url
        page.context.close()
        if filters and filters != {"market": ["ZZ"]} and number % 2 == 1:
            page = browser.open(world.link({}))
            choose_by_clicks(page, filters)
            asked = lambda url: dict(part.split("=") for part in url.partition("#")[2].split("&"))
            check(asked(page.url) == asked(address), f"{world.name}: clicks for {filters} lead to {page.url}")
            check_numbers(page, world, filters, f"clicks {filters}")
            page.context.close()
    print("ok ", world.name, f"{world.page.stat().st_size:,} bytes, made in {world.seconds:.1f} s")


def leads_to(page, fragment, what):
    """What was done must change the address, which the page follows a moment later."""
    try:
        page.wait_for_function("wanted => location.hash === wanted", arg=fragment, timeout=5000)
    except TimeoutError:
        check(False, f"{what} leads to {page.url}, expected {fragment or 'no fragment'}")
    page.wait_for_timeout(100)


def click_figure(page, visual, x, y):
    """Clicks into a picture, at shares of its width and height, once it stands still."""
    figure = page.locator(f"#{visual} .figure")
    figure.scroll_into_view_if_needed()
    page.wait_for_timeout(600)
    box = figure.bounding_box()
    figure.click(position={"x": box["width"] * x, "y": box["height"] * y})


def check_drill_down(browser, world):
    page = browser.open(world.link({}))
    click_figure(page, "tickets_by_market", 0.45, 0.06)
    leads_to(page, "#market=DE", "a click on the first bar")
    check_numbers(page, world, {"market": ["DE"]}, "drill-down by a bar")
    page.get_by_role("button", name="Remove filter Germany").click()
    leads_to(page, "", "taking the chip away")
    check(page.get_by_role("status").inner_text().startswith("All "), "a chip takes its filter away")
    click_figure(page, "market_by_severity", 0.92, 0.17)
    leads_to(page, "#market=DE&severity=P4", "a click on the cell at the upper right")
    check_numbers(page, world, {"market": ["DE"], "severity": ["P4"]}, "drill-down by a cell")
    click_figure(page, "severity_distribution", 0.5, 0.85)
    leads_to(page, "#market=DE", "a click on the slice that is chosen already")
    click_figure(page, "top_categories", 0.2, 0.2)
    world.choose({"market": ["DE"]})
    leads_to(page, f"#market=DE&category={world.answer('top_categories', {})[0][0]}", "a click on the largest rectangle")
    for _ in range(2):
        page.go_back()
    leads_to(page, "#market=DE&severity=P4", "going back")
    page.get_by_role("button", name="Reset all").click()
    leads_to(page, "", "reset")
    page.locator("#severity_distribution").get_by_role("button", name=re.compile("show as table")).click()
    page.locator("#severity_distribution").get_by_role("button", name="P2", exact=True).click()
    leads_to(page, "#severity=P2", "a value in a table")
    page.context.close()
    print("ok  drill-down")


def check_table(browser, world):
    page = browser.open(world.link({}))
    headers = page.locator("#open_p1_tickets th")
    oldest = [row[0] for row in shown_table(page, "open_p1_tickets")]
    check(len(oldest) == 100 and oldest == sorted(oldest), "100 open P1 tickets stand oldest first")
    page.locator("#open_p1_tickets th[data-column=dealer_id] button").click()
    dealers = [row[4] for row in shown_table(page, "open_p1_tickets")]
    check(dealers == sorted(dealers), "the table is sorted by dealer")
    page.locator("#open_p1_tickets th[data-column=dealer_id] button").press("Enter")
    check([row[4] for row in shown_table(page, "open_p1_tickets")] == sorted(dealers, reverse=True), "and the other way")
    check(headers.nth(4).get_attribute("aria-sort") == "descending", "and says so")
    page.context.close()
    print("ok  sorting")


def check_pictures(browser, world, output):
    page = browser.open(world.link({"market": ["DE"]}))
    for visual in ANSWERS:
        for kind, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
            content = saved(page, visual, f"Save picture as {kind}")
            check(content.startswith(start) and len(content) > 2000, f"{kind} of {visual}: {len(content)} bytes")
            (output / f"{visual}.{kind.lower()}").write_bytes(content)
    page.context.close()
    print("ok  pictures")


def check_keyboard(browser, world):
    page = browser.open(world.link({}))
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"))
    for name in ("Skip to the visuals", "Light or dark", "Market, all", "Severity, all", "Category, all", "Period, all"):
        check(name in reached, f"Tab reaches {name}: {reached}")
    page.locator("[aria-controls=filter-market]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    leads_to(page, "#market=AE", "a market chosen by keyboard")
    page.keyboard.press("Escape")
    check(page.evaluate("document.activeElement.getAttribute('aria-controls')") == "filter-market", "Escape returns")
    page.get_by_role("button", name="Remove filter United Arab Emirates").press("Enter")
    leads_to(page, "", "a chip taken away by keyboard")
    check(page.evaluate("document.activeElement.getAttribute('aria-controls')") == "filter-market", "the focus goes to the filters")
    page.locator("#tickets_by_market").get_by_role("button", name=re.compile("show as table")).press("Enter")
    page.locator("#tickets_by_market").get_by_role("button", name="GB", exact=True).press("Enter")
    leads_to(page, "#market=GB", "a name in a table by keyboard")
    check(page.evaluate("document.activeElement.textContent") == "GB", "the focus stays at the name")
    page.context.close()
    print("ok  keyboard")


def check_accessibility(browser, world):
    axe = AXE.read_text(encoding="utf-8")
    for options in ({}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}):
        page = browser.open(world.link({"market": ["DE", "US"]}), bypass_csp=True, **options)
        page.evaluate(axe)
        for state in ("pictures", "tables", "a panel"):
            if state == "tables":
                page.get_by_role("button", name="Show all as tables").click()
            if state == "a panel":
                page.locator("[aria-controls=filter-category]").click()
            page.wait_for_timeout(500)
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
            lines = [f"{v['id']} ({v['impact']}): {v['nodes'][0]['html'][:120]}" for v in found]
            check(not found, f"axe, {options}, {state}: {lines}")
        page.context.close()
    print("ok  axe")


def check_safety(browser, world):
    page = browser.open(world.link({}))
    page.wait_for_timeout(300)
    check(page.title() != "owned", "a hostile ticket can't run a script")
    check(HOSTILE in page.locator("#open_p1_tickets tbody").inner_text(), "a hostile text is shown as it is")
    check(page.locator("img, #page script").count() == 0, "a hostile text makes no element")
    check(page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "a long text keeps to its table")
    text = saved_csv(page, "open_p1_tickets")
    check(any(HOSTILE in row for row in rows_of(text)), "a hostile text is saved as it is")
    check(any("'=1+1" in row for row in rows_of(text)), "a formula is no formula in a spreadsheet")
    picture = saved(page, "open_p1_tickets", "Save picture as PNG")
    check(picture.startswith(b"\x89PNG"), "hostile texts can be pictured")
    for address in ("#market=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "#from=2026-99-99&to=x", "#" + "%F0%9F%98%80" * 500, "#market=%", "#constructor=1&market=__proto__"):
        hostile = browser.open(world.link({}) + address)
        check(hostile.title() != "owned", f"the address {address} does no harm")
        hostile.context.close()
    page.context.close()
    print("ok  hostile texts")


def check_serving(browser, bin_dir, output):
    """A page that is served shows new data by itself, and keeps its filters."""
    raw, curated = output / "served" / "raw", output / "served" / "curated"

    def make(count):
        run(Path(bin_dir) / "generate", "--quiet", "--count", count, "--as-of", "2026-11-22", "--output", raw)
        run(Path(bin_dir) / "transform", "--quiet", "--input", raw, "--output", curated)

    make(300)
    command = [Path(bin_dir) / "dashboard", "serve", "--port", "0", "--data", curated]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as server:
        address = re.search(r"http://\S+", server.stderr.readline())[0]
        page = browser.open(f"{address}#market=DE", fine=(address,), offline=False)
        status = page.get_by_role("status")
        status.filter(has_text="of 300").wait_for()
        # Long enough for the page to have learnt what it shows.
        page.wait_for_timeout(3000)
        make(700)
        status.filter(has_text="of 700").wait_for(timeout=30000)
        check(page.url.endswith("#market=DE"), f"the filters are kept: {page.url}")
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


def take_pictures(browser, world, output):
    for width, height, scale in ((360, 740, 2), (1280, 800, 1), (3840, 2160, 1)):
        for scheme in ("light", "dark"):
            page = browser.open(world.link({}), viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=scale)
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
    check(len(content) > 30000 and 1 <= pages <= 6, f"the print has {pages} pages and {len(content)} bytes")
    print("ok  screenshots and print")


def take_readme_picture(browser, world, output):
    page = browser.open(world.link({}), device_scale_factor=0.7)
    page.wait_for_timeout(600)
    page.screenshot(path=output / "readme.png", full_page=True)
    page.context.close()


def measure(browser, world):
    """Milliseconds from navigation to a page that answers, and from a click to its answer; printed, not judged."""
    opened, changed = [], []
    for _ in range(5):
        page = browser.open(world.link({}))
        opened.append(page.evaluate("performance.getEntriesByName('ready')[0].startTime"))
        changed.append(page.evaluate("() => new Promise(done => { const t = performance.now(); addEventListener('hashchange', () => requestAnimationFrame(() => done(performance.now() - t))); location.hash = 'market=DE'; })"))
        page.context.close()
    median = lambda values: sorted(values)[len(values) // 2]
    print(f"    {world.name}: {world.page.stat().st_size:,} bytes, ready after {median(opened):.0f} ms, a filter takes {median(changed):.0f} ms")


def main(bin_dir, output_dir):
    output = Path(output_dir)
    output.mkdir(parents=True, exist_ok=True)
    small = World(bin_dir, output, "small", 5000, ["--as-of", "2026-11-22T09:30:00Z"])
    crowded = World(bin_dir, output, "crowded", 80000, ["--days-back", 2, "--as-of", "2025-01-03T05:06:07Z"])
    hostile = World(bin_dir, output, "hostile", raw=hostile_tickets(output))
    afternoon = World(bin_dir, output, "afternoon", 50000, ["--as-of", "2026-11-18T17:45:00Z"])
    large = World(bin_dir, output, "large", 1_000_000, ["--as-of", "2026-11-22"])
    check(large.page.stat().st_size < 6_000_000, f"a million tickets make {large.page.stat().st_size} bytes")
    with sync_playwright() as playwright:
        browser = Browser(playwright)
        check_world(browser, small, FILTERS)
        check_world(browser, crowded, FILTERS[:4])
        check_world(browser, large, FILTERS[::3])
        check_drill_down(browser, small)
        check_table(browser, crowded)
        check_pictures(browser, crowded, output)
        check_keyboard(browser, small)
        check_accessibility(browser, crowded)
        check_safety(browser, hostile)
        check_serving(browser, bin_dir, output)
        take_pictures(browser, small, output)
        take_pictures(browser, crowded, output)
        take_readme_picture(browser, afternoon, output)
        for world in (small, large):
            measure(browser, world)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
