// Formats values and creates elements. Text from tickets is only set as text content; no HTML is built from strings.

const element = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

const svgElement = (tag, attributes = {}, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

const ICONS = {
  table: "M3 5h18v14H3zM3 10h18M3 14.5h18M9 10v9",
  chart: "M4 20V10M10 20V4M16 20v-7M22 20H2",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  theme: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  print: "M7 9V3h10v6M7 18H4v-8h16v8h-3M7 14h10v7H7z",
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9l6 6 6-6",
};

const icon = (name) =>
  svgElement("svg", { viewBox: "0 0 24 24", class: `icon icon-${name}`, "aria-hidden": "true" }, svgElement("path", { d: ICONS[name] }));

const wholeNumber = new Intl.NumberFormat("en");
const number = (value) => wholeNumber.format(value);
const decimals = (value) => value.toLocaleString("en", { minimumFractionDigits: 0, maximumFractionDigits: 2 });
const percent = (value) => `${decimals(value)} %`;
// Labels of bars and slices have one decimal, so that they align.
const shortPercent = (value) => `${value.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} %`;
const hours = (value) => `${decimals(value)} h`;

// 52.3 hours as "2 d 4 h".
const humanHours = (value) => {
  const minutes = Math.round(value * 60);
  const parts = [[Math.floor(minutes / 1440), "d"], [Math.floor(minutes / 60) % 24, "h"], [minutes % 60, "min"]];
  const first = parts.findIndex(([n]) => n > 0);
  return first < 0 ? "0 min" : parts.slice(first, first + 2).filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`).join(" ");
};

const dateIn = (options) => {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
  return (text) => format.format(new Date(`${text}T00:00:00Z`));
};
const shortDate = dateIn({ day: "numeric", month: "short" });
const longDate = dateIn({ weekday: "short", day: "numeric", month: "long", year: "numeric" });
const mediumDate = dateIn({ day: "numeric", month: "short", year: "numeric" });

const regions = new Intl.DisplayNames(["en"], { type: "region" });
const SEVERITY_NAMES = { P1: "P1 critical", P2: "P2 high", P3: "P3 medium", P4: "P4 low" };

// The display text of a field value.
const displayName = (field, value) => {
  if (field === "severity") return SEVERITY_NAMES[value] ?? value;
  if (field !== "market") return value;
  try {
    return regions.of(value) ?? value;
  } catch {
    return value;
  }
};

const COLUMN_TITLES = {
  breach_percentage: "Missed %",
  breached: "Missed",
  category: "Category",
  closed_tickets: "Closed",
  created_at: "Opened (UTC)",
  day: "Day",
  dealer_id: "Dealer",
  hours_since_created: "Hours open",
  market: "Market",
  mean_hours: "Mean hours",
  median_hours: "Median hours",
  model_series: "Series",
  model_year: "Year",
  open_p1_total: "Open P1 in all",
  open_tickets: "Open",
  p1: "P1",
  p2: "P2",
  p3: "P3",
  p4: "P4",
  p95_hours: "95 % within hours",
  percentage: "%",
  resolved_tickets: "Resolved",
  severity: "Severity",
  sla_breached: "SLA",
  status: "Status",
  ticket_id: "Ticket",
  tickets: "Tickets",
  week: "Week of",
};

// The display text of a table cell.
const cellText = (column, value) => {
  if (value === null) return "";
  if (column === "sla_breached") return value ? "missed" : "in time";
  if (column === "model_year") return String(value);
  return typeof value === "number" ? decimals(value) : String(value);
};

// CSV as written by `query --format csv`, except that text beginning with =, +, - or @ gets a leading apostrophe, since
// spreadsheets would run it as a formula.
const csv = ({ columns, rows }) => {
  const field = (value) => {
    let text = value === null ? "" : String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => `${row.map(field).join(",")}\n`).join("");
};

const save = (name, content, type) => {
  const address = URL.createObjectURL(new Blob([content], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
};
