// The head of the page: metadata of the data set, and the filters.

const makeHead = (data, actions) => {
  const { about, definition, days, cube } = data;
  const total = cube.tickets.reduce((sum, n) => sum + n, 0);
  const fact = (name, value, title) => element("div", {}, element("dt", {}, name), element("dd", { title }, value));
  const theme = element("button", { type: "button", class: "icon-button", "aria-label": "Light or dark", title: "Light or dark", onclick: actions.switchTheme }, icon("theme"));
  const tables = element("button", { type: "button", class: "icon-button", "aria-label": "Show all as tables", title: "Show all as tables", "aria-pressed": "false" }, icon("table"));
  tables.addEventListener("click", () => {
    const pressed = tables.getAttribute("aria-pressed") !== "true";
    tables.setAttribute("aria-pressed", String(pressed));
    actions.showAllAsTables(pressed);
  });
  const print = element("button", { type: "button", class: "icon-button", "aria-label": "Print", title: "Print", onclick: () => window.print() }, icon("print"));
  return element(
    "header",
    { class: "head" },
    element("div", { class: "title" }, element("h1", {}, definition.title), element("div", { class: "tools" }, tables, theme, print)),
    element(
      "dl",
      { class: "facts" },
      fact("Tickets", number(total)),
      days.length > 0 ? fact("Opened", `${mediumDate(dayText(days[0]))} – ${mediumDate(dayText(days.at(-1)))}`) : null,
      fact("As of", `${mediumDate(about.as_of.slice(0, 10))}, ${about.as_of.slice(11, 19)} UTC`),
      fact("Seed", about.seed === null ? "none: not from generate" : String(about.seed)),
      about.quarantined > 0 ? fact("In quarantine", number(about.quarantined)) : null,
      fact("Manifest SHA-256", about.manifest_sha256 === null ? "no manifest" : element("code", {}, about.manifest_sha256), "sha256sum _manifest.json"),
    ),
  );
};

const makeFilterBar = (data, actions) => {
  const names = { market: data.markets, severity: data.severities, category: data.categories };
  const bar = element("div", { class: "filters", role: "search", "aria-label": "Filters" });
  const controls = data.definition.filters.map(({ field, title, kind }) =>
    kind === "values" ? valuesControl(field, title, names[field], actions) : periodControl(title, data, actions),
  );
  const chips = element("ul", { class: "chips", "aria-label": "Active filters" });
  const count = element("p", { class: "count", role: "status" });
  bar.append(element("div", { class: "row" }, ...controls.map((control) => control.root), count), chips);
  const update = (filters, tickets) => {
    controls.forEach((control) => control.update(filters));
    const total = data.cube.tickets.reduce((sum, n) => sum + n, 0);
    count.textContent = isFiltered(filters) ? `${number(tickets)} of ${number(total)} tickets` : `All ${number(total)} tickets`;
    const hadFocus = chips.contains(document.activeElement);
    chips.replaceChildren(...makeChips(filters, data, actions));
    chips.hidden = !isFiltered(filters);
    if (hadFocus) (chips.querySelector("button") ?? bar.querySelector("button")).focus();
  };
  return { root: bar, update };
};

const valuesControl = (field, title, values, actions) => {
  const panel = element("div", { class: "panel choices", id: `filter-${field}`, hidden: true });
  const boxes = values.map((value) => {
    const box = element("input", { type: "checkbox", value });
    box.addEventListener("change", () => actions.filter(toggled(actions.filters(), field, value)));
    panel.append(element("label", {}, box, element("span", {}, displayName(field, value))));
    return box;
  });
  const clear = element("button", { type: "button", class: "clear", onclick: () => actions.filter({ ...actions.filters(), [field]: [] }) }, "All");
  panel.append(clear);
  const label = element("span", {}, title);
  const button = panelButton("filter-button", panel, `Filter by ${title.toLowerCase()}`, label, icon("down"));
  button.removeAttribute("title");
  const update = (filters) => {
    const selected = filters[field];
    boxes.forEach((box) => (box.checked = selected.includes(box.value)));
    clear.disabled = selected.length === 0;
    label.textContent = selected.length === 0 ? title : `${title}: ${selected.length === 1 ? selected[0] : selected.length}`;
    button.classList.toggle("active", selected.length > 0);
    button.setAttribute("aria-label", selected.length === 0 ? `${title}, all` : `${title}, ${selected.join(", ")}`);
  };
  return { root: element("div", { class: "anchor" }, button, panel), update };
};

const periodControl = (title, { days, about }, actions) => {
  const panel = element("div", { class: "panel period", id: "filter-period", hidden: true });
  const [first, last] = days.length > 0 ? [dayText(days[0]), dayText(days.at(-1))] : [null, null];
  const input = (end, label) => {
    const dateInput = element("input", { type: "date", min: first, max: last, id: `period-${end}` });
    dateInput.addEventListener("change", () => (dateInput.value === "" || isDay(dateInput.value)) && actions.filter({ ...actions.filters(), [end]: dateInput.value || null }));
    panel.append(element("label", { for: dateInput.id }, element("span", {}, label), dateInput));
    return dateInput;
  };
  const inputs = { from: input("from", "From"), to: input("to", "To, included") };
  const today = dayNumber(about.as_of.slice(0, 10));
  const shortcut = (label, n) =>
    element("button", { type: "button", class: "clear", onclick: () => actions.filter({ ...actions.filters(), from: dayText(today - n), to: dayText(today - 1) }) }, label);
  const all = element("button", { type: "button", class: "clear", onclick: () => actions.filter({ ...actions.filters(), from: null, to: null }) }, "All");
  panel.append(element("div", { class: "shortcuts" }, shortcut("Last 7 days", 7), shortcut("Last 30 days", 30), all));
  const label = element("span", {}, title);
  const button = panelButton("filter-button", panel, `Filter by ${title.toLowerCase()}`, label, icon("down"));
  button.removeAttribute("title");
  const update = (filters) => {
    for (const end of ["from", "to"]) inputs[end].value = filters[end] ?? "";
    const selected = periodText(filters);
    all.disabled = selected === null;
    label.textContent = selected === null ? title : `${title}: ${selected}`;
    button.classList.toggle("active", selected !== null);
    button.setAttribute("aria-label", selected === null ? `${title}, all` : `${title}, ${selected}`);
  };
  return { root: element("div", { class: "anchor" }, button, panel), update };
};

const periodText = ({ from, to }) => {
  if (!from && !to) return null;
  if (from === to) return mediumDate(from);
  if (!from) return `to ${mediumDate(to)}`;
  return to ? `${shortDate(from)} – ${mediumDate(to)}` : `from ${mediumDate(from)}`;
};

// A chip for each active filter, which removes it.
const makeChips = (filters, data, actions) => {
  const chip = (text, next) =>
    element("li", {}, element("button", { type: "button", class: "chip", "aria-label": `Remove filter ${text}`, onclick: () => actions.filter(next) }, text, icon("close")));
  const values = VALUE_FIELDS.flatMap((field) => filters[field].map((value) => chip(displayName(field, value), toggled(filters, field, value))));
  const period = periodText(filters);
  if (period) values.push(chip(period, { ...filters, from: null, to: null }));
  if (values.length > 0) values.push(element("li", {}, element("button", { type: "button", class: "reset", onclick: () => actions.filter(noFilters()) }, "Reset all")));
  return values;
};

// Describes the active filters, for exported images.
const describeFilters = (filters) => {
  const parts = VALUE_FIELDS.flatMap((field) => (filters[field].length > 0 ? [filters[field].map((value) => displayName(field, value)).join(", ")] : []));
  return [...parts, periodText(filters)].filter(Boolean).join(" · ") || "All tickets";
};
