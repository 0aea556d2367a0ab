// A card for each visual: heading, chart or table, and the export menu.

const makeCard = (visual, act) => {
  const heading = `${visual.id}-heading`;
  const figure = element("div", { class: "figure", role: "img" });
  const empty = element("p", { class: "empty", hidden: true }, "No tickets match the filters");
  const note = element("div", { class: "note" });
  const table = element("div", { class: "table", tabindex: "0", role: "region", "aria-label": `${visual.title}, table` });
  const isTable = visual.form === "table";
  const card = { visual, figure, empty, note, table, asTable: isTable, chart: null, answer: null, order: null };

  const swap = element("button", { type: "button", class: "quiet", title: "Show as table", "aria-label": `${visual.title}: show as table`, "aria-pressed": "false" }, icon("table"));
  swap.addEventListener("click", () => {
    card.asTable = !card.asTable;
    act.redraw(card);
  });
  card.swap = swap;
  const menu = exportMenu(card, act);
  card.root = element(
    "section",
    { class: `card form-${visual.form}`, id: visual.id, "aria-labelledby": heading, style: `--width: ${visual.width}` },
    element(
      "header",
      {},
      element("div", {}, element("h2", { id: heading }, visual.title), element("p", {}, visual.about)),
      element("div", { class: "actions" }, isTable ? null : swap, menu),
    ),
    element("div", { class: "body" }, isTable ? null : figure, empty, table),
    note,
  );
  return card;
};

const exportMenu = (card, act) => {
  const { visual } = card;
  const list = element("div", { class: "panel menu", id: `${visual.id}-menu`, hidden: true });
  const entry = (label, what) =>
    element("button", { type: "button", onclick: () => { closePanels(); what(); } }, label);
  list.append(
    entry("Save data as CSV", () => save(`${visual.id}.csv`, csv(card.answer), "text/csv")),
    entry("Save image as PNG", () => savePng(card, act.context())),
    entry("Save image as SVG", () => saveSvg(card, act.context())),
  );
  return element("div", { class: "anchor" }, panelButton("quiet", list, `${visual.title}: save`, icon("more")), list);
};

// A button that toggles a panel; at most one panel is open.
const panelButton = (kind, panel, label, ...content) => {
  const button = element("button", { type: "button", class: kind, "aria-expanded": "false", "aria-controls": panel.id, "aria-label": label, title: label }, ...content);
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
const drawCards = (cards, answered, looks = look()) => {
  for (const card of cards) arrangeCard(card, answered);
  for (const card of cards) if (!card.figure.hidden) drawFigure(card, answered, looks);
};

const arrangeCard = (card, { answers, act }) => {
  const { visual, figure, table, empty, swap } = card;
  card.answer = answers[visual.id];
  const isEmpty = card.answer.rows.length === 0;
  empty.hidden = !isEmpty;
  empty.textContent = `${NOTHING[visual.form] ?? "No tickets"}${isFiltered(act.filters()) ? " match the filters" : ""}`;
  table.hidden = isEmpty || !card.asTable;
  figure.hidden = isEmpty || card.asTable;
  swap.setAttribute("aria-pressed", String(card.asTable));
  swap.replaceChildren(icon(card.asTable ? "chart" : "table"));
  swap.title = card.asTable ? "Show as chart" : "Show as table";
  const focused = table.contains(document.activeElement) ? document.activeElement.textContent : null;
  table.replaceChildren();
  if (!table.hidden) table.append(makeTable(card, act));
  // Restores the keyboard focus to the same button, or else to the table.
  if (focused !== null) ([...table.querySelectorAll("button")].find((button) => button.textContent === focused) ?? table).focus({ preventScroll: true });
  drawNote(card);
};

// The text of an empty visual, by form.
const NOTHING = { number: "No resolved tickets", bars: "No resolved tickets", table: "No open P1 tickets" };

const drawFigure = (card, { counts, data, act }, looks) => {
  const { figure, visual, answer } = card;
  card.chart ??= startChart(card, act);
  card.chart.resize();
  card.chart.setOption(chartOption(visual, answer, counts, data, looks), { notMerge: true });
  figure.setAttribute("aria-label", `${visual.title}: ${summary(visual, answer)}. Show it as a table for all numbers.`);
};

const startChart = (card, act) => {
  const chart = echarts.init(card.figure, null, { renderer: "svg" });
  chart.on("click", ({ data }) => data?.group && act.drill(data.group));
  // In a line chart, a click anywhere above a day or week selects it.
  const [field] = card.visual.group_by;
  if (["line", "stacked_area"].includes(card.visual.form)) {
    chart.getZr().on("click", ({ offsetX, offsetY }) => {
      if (!chart.containPixel("grid", [offsetX, offsetY])) return;
      const [place] = chart.convertFromPixel("grid", [offsetX, offsetY]);
      const value = chart.getOption().xAxis[0].data[Math.round(place)];
      if (value) act.drill({ [field]: value });
    });
  }
  return chart;
};

const summary = (visual, { columns, rows }) => {
  const say = (row) => columns.slice(0, 4).map((column, i) => `${COLUMN_TITLES[column]} ${shown(column, row[i])}`).join(", ");
  return rows.length === 1 || visual.form === "gauge" ? say(rows[0]) : `${rows.length} rows, the first: ${say(rows[0])}`;
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
const DRILLED = ["market", "severity", "category", "day", "week"];

const makeTable = (card, act) => {
  const { visual, answer } = card;
  const columns = tableColumns(answer);
  const head = columns.map((column) => {
    const direction = card.order?.column === column ? card.order.direction : null;
    const sort = element("button", { type: "button" }, COLUMN_TITLES[column] ?? column);
    sort.addEventListener("click", () => {
      card.order = { column, direction: direction === "ascending" ? "descending" : "ascending" };
      act.redraw(card);
    });
    return element("th", { scope: "col", class: NUMERIC.has(column) ? "number" : null, "aria-sort": direction ?? "none", "data-column": column }, sort);
  });
  const body = sortedRows(card).map((row) => element("tr", {}, ...columns.map((column) => makeCell(column, row[answer.columns.indexOf(column)], act))));
  return element(
    "table",
    {},
    element("caption", { class: "unseen" }, visual.title),
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
  const place = order ? answer.columns.indexOf(order.column) : -1;
  if (place < 0) return answer.rows;
  const sign = order.direction === "ascending" ? 1 : -1;
  return [...answer.rows].sort((a, b) => sign * compare(a[place], b[place]));
};

const makeCell = (column, value, act) => {
  const text = shown(column, value);
  if (DRILLED.includes(column) && value !== "All") {
    const drill = element("button", { type: "button", class: "drill", title: `Filter by ${text}` }, text);
    drill.addEventListener("click", () => act.drill({ [column]: value }));
    return element("td", {}, drill);
  }
  if (column === "sla_breached") return element("td", {}, element("span", { class: value ? "pill missed" : "pill" }, text));
  return element("td", { class: NUMERIC.has(column) ? "number" : column === "ticket_id" ? "code" : null, title: text.length > 40 ? text : null }, text);
};
