// The head of the page: metadata of the data set, and the filters.

const makeHead = (data, act) => {
  const { about, definition, days, cube } = data;
  const total = cube.tickets.reduce((sum, n) => sum + n, 0);
  const fact = (name, value, title) => element("div", {}, element("dt", {}, name), element("dd", { title }, value));
  const theme = element("button", { type: "button", class: "quiet", "aria-label": "Light or dark", title: "Light or dark", onclick: act.switchTheme }, icon("theme"));
  const tables = element("button", { type: "button", class: "quiet", "aria-label": "Show all as tables", title: "Show all as tables", "aria-pressed": "false" }, icon("table"));
  tables.addEventListener("click", () => {
    const pressed = tables.getAttribute("aria-pressed") !== "true";
    tables.setAttribute("aria-pressed", String(pressed));
    act.showAllAsTables(pressed);
  });
  const print = element("button", { type: "button", class: "quiet", "aria-label": "Print", title: "Print", onclick: () => window.print() }, icon("print"));
  return element(
    "header",
    { class: "head" },
    element("div", { class: "title" }, element("h1", {}, definition.title), element("div", { class: "tools" }, tables, theme, print)),
    element(
      "dl",
      { class: "facts" },
      fact("Tickets", number(total)),
      days.length > 0 ? fact("Opened", `${plainDate(dayText(days[0]))} – ${plainDate(dayText(days.at(-1)))}`) : null,
      fact("As of", `${plainDate(about.as_of.slice(0, 10))}, ${about.as_of.slice(11, 19)} UTC`),
      fact("Seed", about.seed === null ? "none: not from generate" : String(about.seed)),
      about.quarantined > 0 ? fact("In quarantine", number(about.quarantined)) : null,
      fact("Manifest SHA-256", about.manifest_sha256 === null ? "no manifest" : element("code", {}, about.manifest_sha256), "sha256sum _manifest.json"),
    ),
  );
};

const makeFilterBar = (data, act) => {
  const names = { market: data.markets, severity: data.severities, category: data.categories };
  const bar = element("div", { class: "filters", role: "search", "aria-label": "Filters" });
  const controls = data.definition.filters.map(({ field, title, kind }) =>
    kind === "values" ? valuesControl(field, title, names[field], act) : periodControl(title, data, act),
  );
  const chips = element("ul", { class: "chips", "aria-label": "Active filters" });
  const count = element("p", { class: "count", role: "status" });
  bar.append(element("div", { class: "row" }, ...controls.map((control) => control.root), count), chips);
  const update = (filters, tickets) => {
    controls.forEach((control) => control.update(filters));
    const total = data.cube.tickets.reduce((sum, n) => sum + n, 0);
    count.textContent = isFiltered(filters) ? `${number(tickets)} of ${number(total)} tickets` : `All ${number(total)} tickets`;
    const hadFocus = chips.contains(document.activeElement);
    chips.replaceChildren(...makeChips(filters, data, act));
    chips.hidden = !isFiltered(filters);
    if (hadFocus) (chips.querySelector("button") ?? bar.querySelector("button")).focus();
  };
  return { root: bar, update };
};

const valuesControl = (field, title, values, act) => {
  const panel = element("div", { class: "panel choices", id: `filter-${field}`, hidden: true });
  const boxes = values.map((value) => {
    const box = element("input", { type: "checkbox", value });
    box.addEventListener("change", () => act.filter(toggled(act.filters(), field, value)));
    panel.append(element("label", {}, box, element("span", {}, spoken(field, value))));
    return box;
  });
  const clear = element("button", { type: "button", class: "clear", onclick: () => act.filter({ ...act.filters(), [field]: [] }) }, "All");
  panel.append(clear);
  const label = element("span", {}, title);
  const button = panelButton("choose", panel, `Filter by ${title.toLowerCase()}`, label, icon("down"));
  button.removeAttribute("title");
  const update = (filters) => {
    const chosen = filters[field];
    boxes.forEach((box) => (box.checked = chosen.includes(box.value)));
    clear.disabled = chosen.length === 0;
    label.textContent = chosen.length === 0 ? title : `${title}: ${chosen.length === 1 ? chosen[0] : chosen.length}`;
    button.classList.toggle("active", chosen.length > 0);
    button.setAttribute("aria-label", chosen.length === 0 ? `${title}, all` : `${title}, ${chosen.join(", ")}`);
  };
  return { root: element("div", { class: "anchor" }, button, panel), update };
};

const periodControl = (title, { days, about }, act) => {
  const panel = element("div", { class: "panel period", id: "filter-period", hidden: true });
  const [first, last] = days.length > 0 ? [dayText(days[0]), dayText(days.at(-1))] : [null, null];
  const input = (end, label) => {
    const made = element("input", { type: "date", min: first, max: last, id: `period-${end}` });
    made.addEventListener("change", () => (made.value === "" || isDay(made.value)) && act.filter({ ...act.filters(), [end]: made.value || null }));
    panel.append(element("label", { for: made.id }, element("span", {}, label), made));
    return made;
  };
  const inputs = { from: input("from", "From"), to: input("to", "To, included") };
  const today = dayNumber(about.as_of.slice(0, 10));
  const shortcut = (label, n) =>
    element("button", { type: "button", class: "clear", onclick: () => act.filter({ ...act.filters(), from: dayText(today - n), to: dayText(today - 1) }) }, label);
  const all = element("button", { type: "button", class: "clear", onclick: () => act.filter({ ...act.filters(), from: null, to: null }) }, "All");
  panel.append(element("div", { class: "shortcuts" }, shortcut("Last 7 days", 7), shortcut("Last 30 days", 30), all));
  const label = element("span", {}, title);
  const button = panelButton("choose", panel, `Filter by ${title.toLowerCase()}`, label, icon("down"));
  button.removeAttribute("title");
  const update = (filters) => {
    for (const end of ["from", "to"]) inputs[end].value = filters[end] ?? "";
    const chosen = periodText(filters);
    all.disabled = chosen === null;
    label.textContent = chosen === null ? title : `${title}: ${chosen}`;
    button.classList.toggle("active", chosen !== null);
    button.setAttribute("aria-label", chosen === null ? `${title}, all` : `${title}, ${chosen}`);
  };
  return { root: element("div", { class: "anchor" }, button, panel), update };
};

const periodText = ({ from, to }) => {
  if (!from && !to) return null;
  if (from === to) return plainDate(from);
  if (!from) return `to ${plainDate(to)}`;
  return to ? `${shortDate(from)} – ${plainDate(to)}` : `from ${plainDate(from)}`;
};

// A chip for each active filter, which removes it.
const makeChips = (filters, data, act) => {
  const chip = (text, next) =>
    element("li", {}, element("button", { type: "button", class: "chip", "aria-label": `Remove filter ${text}`, onclick: () => act.filter(next) }, text, icon("close")));
  const values = VALUE_FIELDS.flatMap((field) => filters[field].map((value) => chip(spoken(field, value), toggled(filters, field, value))));
  const period = periodText(filters);
  if (period) values.push(chip(period, { ...filters, from: null, to: null }));
  if (values.length > 0) values.push(element("li", {}, element("button", { type: "button", class: "reset", onclick: () => act.filter(noFilters()) }, "Reset all")));
  return values;
};

// Describes the active filters, for exported images.
const filterWords = (filters) => {
  const words = VALUE_FIELDS.flatMap((field) => (filters[field].length > 0 ? [filters[field].map((value) => spoken(field, value)).join(", ")] : []));
  return [...words, periodText(filters)].filter(Boolean).join(" · ") || "All tickets";
};
