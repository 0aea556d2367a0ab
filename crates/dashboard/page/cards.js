// A card for each visual: heading, chart or table, and the export menu.

const makeCard = (visual, actions) => {
  const heading = `${visual.id}-heading`;
  const figure = element("div", { class: "figure", role: "img" });
  const empty = element("p", { class: "empty", hidden: true }, "No tickets match the filters");
  const note = element("div", { class: "note" });
  const table = element("div", { class: "table", tabindex: "0", role: "region", "aria-label": `${visual.title}, table` });
  const isTable = visual.form === "table";
  const card = { visual, figure, empty, note, table, asTable: isTable, chart: null, answer: null, order: null };

  const viewToggle = element("button", { type: "button", class: "icon-button", title: "Show as table", "aria-label": `${visual.title}: show as table`, "aria-pressed": "false" }, icon("table"));
  viewToggle.addEventListener("click", () => {
    card.asTable = !card.asTable;
    actions.redraw(card);
  });
  card.viewToggle = viewToggle;
  const menu = exportMenu(card, actions);
  card.root = element(
    "section",
    { class: `card form-${visual.form}`, id: visual.id, "aria-labelledby": heading, style: `--width: ${visual.width}` },
    element(
      "header",
      {},
      element("div", {}, element("h2", { id: heading }, visual.title), element("p", {}, visual.about)),
      element("div", { class: "actions" }, isTable ? null : viewToggle, menu),
    ),
    element("div", { class: "body" }, isTable ? null : figure, empty, table),
    note,
  );
  return card;
};

const exportMenu = (card, actions) => {
  const { visual } = card;
  const list = element("div", { class: "panel menu", id: `${visual.id}-menu`, hidden: true });
  const entry = (label, action) =>
    element("button", { type: "button", onclick: () => { closePanels(); action(); } }, label);
  list.append(
    entry("Save data as CSV", () => save(`${visual.id}.csv`, csv(card.answer), "text/csv")),
    entry("Save image as PNG", () => savePng(card, actions.context())),
    entry("Save image as SVG", () => saveSvg(card, actions.context())),
  );
  return element("div", { class: "anchor" }, panelButton("icon-button", list, `${visual.title}: save`, icon("more")), list);
};

// A button that toggles a panel; at most one panel is open.
const panelButton = (className, panel, label, ...content) => {
  const button = element("button", { type: "button", class: className, "aria-expanded": "false", "aria-controls": panel.id, "aria-label": label, title: label }, ...content);
  button.addEventListener("click", () => {
    const opens = panel.hidden;
    closePanels();
    if (!opens) return;
    panel.hidden = false;
    button.setAttribute("aria-expanded", "true");
    panel.querySelector("input, button")?.focus();
  });
  return button;
};

const closePanels = (returnFocus = false) => {
  for (const panel of document.querySelectorAll(".panel:not([hidden])")) {
    panel.hidden = true;
    const button = document.querySelector(`[aria-controls="${panel.id}"]`);
    button.setAttribute("aria-expanded", "false");
    if (returnFocus) button.focus();
  }
};

addEventListener("keydown", (event) => event.key === "Escape" && closePanels(true));
addEventListener("pointerdown", (event) => event.target.closest(".anchor") || closePanels());

// Draws the answers. Charts come last, since tables and notes determine the space that is left for them.
const drawCards = (cards, results, styles = readStyles()) => {
  for (const card of cards) updateCard(card, results);
  for (const card of cards) if (!card.figure.hidden) drawFigure(card, results, styles);
};

const updateCard = (card, { answers, actions }) => {
  const { visual, figure, table, empty, viewToggle } = card;
  card.answer = answers[visual.id];
  const isEmpty = card.answer.rows.length === 0;
  empty.hidden = !isEmpty;
  empty.textContent = `${EMPTY_TEXTS[visual.form] ?? "No tickets"}${isFiltered(actions.filters()) ? " match the filters" : ""}`;
  table.hidden = isEmpty || !card.asTable;
  figure.hidden = isEmpty || card.asTable;
  viewToggle.setAttribute("aria-pressed", String(card.asTable));
  viewToggle.replaceChildren(icon(card.asTable ? "chart" : "table"));
  viewToggle.title = card.asTable ? "Show as chart" : "Show as table";
  const focused = table.contains(document.activeElement) ? document.activeElement.textContent : null;
  table.replaceChildren();
  if (!table.hidden) table.append(makeTable(card, actions));
  // Restores the keyboard focus to the same button, or else to the table.
  if (focused !== null) ([...table.querySelectorAll("button")].find((button) => button.textContent === focused) ?? table).focus({ preventScroll: true });
  drawNote(card);
};

// The text of an empty visual, by form.
const EMPTY_TEXTS = { number: "No resolved tickets", bars: "No resolved tickets", table: "No open P1 tickets" };

const drawFigure = (card, { counts, data, actions }, styles) => {
  const { figure, visual, answer } = card;
  card.chart ??= createChart(card, actions);
  card.chart.resize();
  card.chart.setOption(chartOption(visual, answer, counts, data, styles), { notMerge: true });
  figure.setAttribute("aria-label", `${visual.title}: ${summary(visual, answer)}. Show it as a table for all numbers.`);
};

const createChart = (card, actions) => {
  const chart = echarts.init(card.figure, null, { renderer: "svg" });
  chart.on("click", ({ data }) => data?.group && actions.drill(data.group));
  // In a line chart, a click anywhere above a day or week selects it.
  const [field] = card.visual.group_by;
  if (["line", "stacked_area"].includes(card.visual.form)) {
    chart.getZr().on("click", ({ offsetX, offsetY }) => {
      if (!chart.containPixel("grid", [offsetX, offsetY])) return;
      const [index] = chart.convertFromPixel("grid", [offsetX, offsetY]);
      const value = chart.getOption().xAxis[0].data[Math.round(index)];
      if (value) actions.drill({ [field]: value });
    });
  }
  return chart;
};

const summary = (visual, { columns, rows }) => {
  const describeRow = (row) => columns.slice(0, 4).map((column, i) => `${COLUMN_TITLES[column]} ${cellText(column, row[i])}`).join(", ");
  return rows.length === 1 || visual.form === "gauge" ? describeRow(rows[0]) : `${rows.length} rows, the first: ${describeRow(rows[0])}`;
};

// The note below a chart: breach rates by severity below the gauge, and the number of tickets that a table omits.
const drawNote = (card) => {
  const { note, visual, answer, asTable } = card;
  note.replaceChildren();
  if (visual.form === "gauge" && !asTable && answer.rows.length > 0) {
    const rates = answer.rows.slice(1).map(([name, , , share]) => element("div", { class: name.toLowerCase() }, element("dt", {}, name), element("dd", {}, percent(share))));
    note.append(element("dl", {}, ...rates));
  }
  if (visual.form === "table" && answer.rows.length > 0) {
    const total = answer.rows[0].at(-1);
    const left = total - answer.rows.length;
    note.append(left > 0 ? `The ${answer.rows.length} oldest of ${number(total)}` : `${number(total)} in all`);
  }
};

const NUMERIC = new Set(["tickets", "percentage", "breached", "breach_percentage", "resolved_tickets", "mean_hours", "median_hours", "p95_hours", "p1", "p2", "p3", "p4", "open_tickets", "closed_tickets", "hours_since_created"]);
const DRILL_DOWN_COLUMNS = ["market", "severity", "category", "day", "week"];

const makeTable = (card, actions) => {
  const { visual, answer } = card;
  const columns = tableColumns(answer);
  const head = columns.map((column) => {
    const direction = card.order?.column === column ? card.order.direction : null;
    const sort = element("button", { type: "button" }, COLUMN_TITLES[column] ?? column);
    sort.addEventListener("click", () => {
      card.order = { column, direction: direction === "ascending" ? "descending" : "ascending" };
      actions.redraw(card);
    });
    return element("th", { scope: "col", class: NUMERIC.has(column) ? "number" : null, "aria-sort": direction ?? "none", "data-column": column }, sort);
  });
  const body = sortedRows(card).map((row) => element("tr", {}, ...columns.map((column) => makeCell(column, row[answer.columns.indexOf(column)], actions))));
  return element(
    "table",
    {},
    element("caption", { class: "visually-hidden" }, visual.title),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
};

// The most important columns come first; the total is in the note below the table.
const tableColumns = ({ columns }) =>
  columns.includes("open_p1_total")
    ? ["created_at", "hours_since_created", "sla_breached", "market", "dealer_id", "category", "model_series", "model_year", "status", "ticket_id"]
    : columns;

const sortedRows = ({ answer, order }) => {
  const index = order ? answer.columns.indexOf(order.column) : -1;
  if (index < 0) return answer.rows;
  const sign = order.direction === "ascending" ? 1 : -1;
  return [...answer.rows].sort((a, b) => sign * compare(a[index], b[index]));
};

const makeCell = (column, value, actions) => {
  const text = cellText(column, value);
  if (DRILL_DOWN_COLUMNS.includes(column) && value !== "All") {
    const drill = element("button", { type: "button", class: "drill", title: `Filter by ${text}` }, text);
    drill.addEventListener("click", () => actions.drill({ [column]: value }));
    return element("td", {}, drill);
  }
  if (column === "sla_breached") return element("td", {}, element("span", { class: value ? "pill missed" : "pill" }, text));
  return element("td", { class: NUMERIC.has(column) ? "number" : column === "ticket_id" ? "code" : null, title: text.length > 40 ? text : null }, text);
};
