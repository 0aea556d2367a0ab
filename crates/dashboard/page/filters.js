// What is chosen: values of market, severity and category, and a period of days. The page's address holds it, and nothing
// else does, so that a link, the back button and a reload all show the same.

const VALUE_FIELDS = ["market", "severity", "category"];

const noFilters = () => ({ market: [], severity: [], category: [], from: null, to: null });

const readFilters = (address) => {
  const parameters = new URLSearchParams(address.replace(/^#/, ""));
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

// Choosing the only chosen value again lets it go.
const toggled = (filters, field, value) => {
  const chosen = filters[field];
  const next = chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value];
  return { ...filters, [field]: next };
};

// What choosing a group in a visual does: its values become the only ones of their fields, or are let go if they were.
const drilled = (filters, group) => {
  const wanted = { ...filters };
  for (const [field, value] of Object.entries(group)) {
    if (field === "day") Object.assign(wanted, { from: value, to: value });
    else if (field === "week") Object.assign(wanted, { from: value, to: dayText(dayNumber(value) + 6) });
    else wanted[field] = [value];
  }
  if (writeFilters(wanted) !== writeFilters(filters)) return wanted;
  for (const field of Object.keys(group)) {
    if (VALUE_FIELDS.includes(field)) wanted[field] = [];
    else Object.assign(wanted, { from: null, to: null });
  }
  return wanted;
};

// Days are counted from 1970-01-01, as in the payload, or written as 2026-11-22.
const dayNumber = (text) => Date.parse(`${text}T00:00:00Z`) / 86400000;
const dayText = (number) => new Date(number * 86400000).toISOString().slice(0, 10);
const isDay = (text) =>
  /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") && Number.isFinite(dayNumber(text)) && dayText(dayNumber(text)) === text;
const mondayOf = (day) => day - ((((day + 3) % 7) + 7) % 7);
