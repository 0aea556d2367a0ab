// The filter state: values of market, severity and category, and a period of days. It is stored only in the fragment of the
// URL, so that links, the back button and reloads restore it.

const VALUE_FIELDS = ["market", "severity", "category"];

const noFilters = () => ({ market: [], severity: [], category: [], from: null, to: null });

const readFilters = (fragment) => {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ""));
  const filters = noFilters();
  for (const field of VALUE_FIELDS) {
    const values = (parameters.get(field) ?? "").split(",").filter((value) => value !== "" && value.length <= 64);
    filters[field] = [...new Set(values)].slice(0, 300);
  }
  for (const end of ["from", "to"]) filters[end] = isDay(parameters.get(end)) ? parameters.get(end) : null;
  return filters;
};

const writeFilters = (filters) => {
  const parts = VALUE_FIELDS.filter((field) => filters[field].length > 0).map(
    (field) => `${field}=${filters[field].map(encodeURIComponent).join(",")}`,
  );
  for (const end of ["from", "to"]) if (filters[end]) parts.push(`${end}=${filters[end]}`);
  return parts.join("&");
};

const isFiltered = (filters) => writeFilters(filters) !== "";

// Selecting the only selected value again clears the selection.
const toggled = (filters, field, value) => {
  const selected = filters[field];
  const next = selected.includes(value) ? selected.filter((other) => other !== value) : [...selected, value];
  return { ...filters, [field]: next };
};

// Drill-down: selects the values of a group exclusively, or clears them if they are selected already.
const drillDown = (filters, group) => {
  const next = { ...filters };
  for (const [field, value] of Object.entries(group)) {
    if (field === "day") Object.assign(next, { from: value, to: value });
    else if (field === "week") Object.assign(next, { from: value, to: dayText(dayNumber(value) + 6) });
    else next[field] = [value];
  }
  if (writeFilters(next) !== writeFilters(filters)) return next;
  for (const field of Object.keys(group)) {
    if (VALUE_FIELDS.includes(field)) next[field] = [];
    else Object.assign(next, { from: null, to: null });
  }
  return next;
};

// Days are numbers since 1970-01-01, as in the payload, or ISO dates.
const dayNumber = (text) => Date.parse(`${text}T00:00:00Z`) / 86400000;
const dayText = (number) => new Date(number * 86400000).toISOString().slice(0, 10);
const isDay = (text) =>
  /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") && Number.isFinite(dayNumber(text)) && dayText(dayNumber(text)) === text;
const mondayOf = (day) => day - ((((day + 3) % 7) + 7) % 7);
