// Computes the answer of each visual from the cube under the current filters. Columns, rows, order and rounding equal those
// of the KPI in queries/sample_queries.sql with the filters as a WHERE clause.

// Aggregates the cube in one pass for all visuals.
const countTickets = (data, filters) => {
  const { cube, days, markets, severities, categories } = data;
  const allowed = (names, selected) => Uint8Array.from(names, (name) => selected.length === 0 || selected.includes(name));
  const marketOk = allowed(markets, filters.market);
  const severityOk = allowed(severities, filters.severity);
  const categoryOk = allowed(categories, filters.category);
  const from = filters.from ? dayNumber(filters.from) : -Infinity;
  const to = filters.to ? dayNumber(filters.to) : Infinity;
  const dayOk = Uint8Array.from(days, (day) => day >= from && day <= to);

  const columns = (length) => ({
    tickets: new Float64Array(length),
    open: new Float64Array(length),
    breached: new Float64Array(length),
    seconds: new Float64Array(length),
  });
  const counts = {
    day: columns(days.length),
    market: columns(markets.length),
    severity: columns(severities.length),
    category: columns(categories.length),
    marketBySeverity: new Float64Array(markets.length * severities.length),
    all: columns(1),
  };
  for (let i = 0; i < cube.day.length; i++) {
    const day = cube.day[i], market = cube.market[i], severity = cube.severity[i], category = cube.category[i];
    if (!(dayOk[day] && marketOk[market] && severityOk[severity] && categoryOk[category])) continue;
    add(counts.day, day, cube, i);
    add(counts.market, market, cube, i);
    add(counts.severity, severity, cube, i);
    add(counts.category, category, cube, i);
    add(counts.all, 0, cube, i);
    counts.marketBySeverity[market * severities.length + severity] += cube.tickets[i];
  }
  return counts;
};

const add = (columns, index, cube, i) => {
  columns.tickets[index] += cube.tickets[i];
  columns.open[index] += cube.open[i];
  columns.breached[index] += cube.breached[i];
  columns.seconds[index] += cube.seconds[i];
};

const answerAll = (data, filters) => {
  const counts = countTickets(data, filters);
  const answers = {};
  for (const [id, answer] of Object.entries(ANSWERS)) answers[id] = answer(data, counts, filters);
  return { answers, counts, tickets: counts.all.tickets[0] };
};

const ANSWERS = {
  daily_volume: ({ days, about }, { day }, filters) => {
    const today = dayNumber(about.as_of.slice(0, 10));
    const isShown = filters.from || filters.to ? () => true : (number) => number >= today - 30 && number < today;
    const rows = days.map((number, index) => [number, day.tickets[index]]);
    return {
      columns: ["day", "tickets"],
      rows: rows.filter(([number, tickets]) => tickets > 0 && isShown(number)).map(([number, n]) => [dayText(number), n]),
    };
  },

  severity_distribution: ({ severities }, counts) => ({
    columns: ["severity", "tickets", "percentage"],
    rows: groups(severities, counts.severity, counts),
  }),

  sla_breach_rate: ({ severities }, { severity, all }) => {
    const row = (name, columns, index) => {
      const tickets = columns.tickets[index], breached = columns.breached[index];
      return [name, tickets, breached, round((breached * 100) / tickets)];
    };
    const rows = [row("All", all, 0), ...severities.map((name, index) => row(name, severity, index))];
    return {
      columns: ["severity", "tickets", "breached", "breach_percentage"],
      rows: rows.filter((row) => row[1] > 0),
    };
  },

  average_resolution_time: (data, { all }) => {
    const resolved = all.tickets[0] - all.open[0];
    return {
      columns: ["resolved_tickets", "mean_hours"],
      rows: resolved > 0 ? [[resolved, round(all.seconds[0] / resolved / 3600)]] : [],
    };
  },

  tickets_by_market: ({ markets }, counts) => ({
    columns: ["market", "tickets", "percentage"],
    rows: sortByTickets(groups(markets, counts.market, counts)),
  }),

  top_categories: ({ categories }, counts) => ({
    columns: ["category", "tickets", "percentage"],
    rows: sortByTickets(groups(categories, counts.category, counts)).slice(0, 5),
  }),

  weekly_open_vs_closed: ({ days }, { day }) => {
    const weeks = new Map();
    days.forEach((number, index) => {
      if (day.tickets[index] === 0) return;
      const monday = mondayOf(number);
      const week = weeks.get(monday) ?? [0, 0];
      weeks.set(monday, [week[0] + day.tickets[index], week[1] + day.open[index]]);
    });
    return {
      columns: ["week", "tickets", "open_tickets", "closed_tickets"],
      rows: [...weeks].map(([monday, [tickets, open]]) => [dayText(monday), tickets, open, tickets - open]),
    };
  },

  // Percentiles can't be computed from counts. The payload has them per severity, so they are shown if no other field is
  // filtered.
  resolution_time_by_severity: ({ severities, resolution_times }, { severity }, filters) => {
    const hasPercentiles = !isFiltered({ ...filters, severity: [] });
    const percentiles = new Map(resolution_times.rows.map((row) => [row[0], row.slice(3)]));
    const columns = ["severity", "resolved_tickets", "mean_hours"];
    const rows = severities.map((name, index) => {
      const resolved = severity.tickets[index] - severity.open[index];
      const mean = round(severity.seconds[index] / resolved / 3600);
      return [name, resolved, mean, ...(hasPercentiles ? (percentiles.get(name) ?? []) : [])];
    });
    return {
      columns: hasPercentiles ? [...columns, "median_hours", "p95_hours"] : columns,
      rows: rows.filter((row) => row[1] > 0),
    };
  },

  market_by_severity: ({ markets, severities }, { market, marketBySeverity }) => {
    const severityIndexes = ["P1", "P2", "P3", "P4"].map((name) => severities.indexOf(name));
    const rows = markets.map((name, index) => [
      name,
      ...severityIndexes.map((severity) => (severity < 0 ? 0 : marketBySeverity[index * severities.length + severity])),
      market.tickets[index],
    ]);
    const tickets = 5;
    return {
      columns: ["market", "p1", "p2", "p3", "p4", "tickets"],
      rows: rows.filter((row) => row[tickets] > 0).sort((a, b) => b[tickets] - a[tickets] || compare(a[0], b[0])),
    };
  },

  open_p1_tickets: ({ open_p1, severities }, { severity, all }, filters) => {
    const index = severities.indexOf("P1");
    const total = index < 0 ? 0 : severity.open[index];
    const columnIndex = Object.fromEntries(open_p1.columns.map((name, column) => [name, column]));
    const has = (field, value) => filters[field].length === 0 || filters[field].includes(value);
    const rows = open_p1.rows.filter((row) => {
      const day = row[columnIndex.created_at].slice(0, 10);
      const inPeriod = (!filters.from || day >= filters.from) && (!filters.to || day <= filters.to);
      return inPeriod && has("market", row[columnIndex.market]) && has("category", row[columnIndex.category]) && has("severity", "P1");
    });
    return {
      columns: [...open_p1.columns, "open_p1_total"],
      rows: rows.slice(0, 100).map((row) => [...row, total]),
    };
  },
};

const groups = (names, columns, { all }) =>
  names
    .map((name, index) => [name, columns.tickets[index], round((columns.tickets[index] * 100) / all.tickets[0])])
    .filter((row) => row[1] > 0);

const sortByTickets = (rows) => rows.sort((a, b) => b[1] - a[1] || compare(a[0], b[0]));
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const round = (value) => Math.round(value * 100) / 100;
