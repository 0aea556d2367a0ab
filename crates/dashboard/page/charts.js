// From an answer to what ECharts draws, one function a form. Nothing is counted here.

// What is drawn for a visual, or null if there is nothing to draw.
const chartOption = (visual, answer, counts, data, looks) => {
  const chart = CHARTS[visual.form];
  if (!chart || answer.rows.length === 0) return null;
  return {
    animation: !looks.still,
    animationDuration: 350,
    animationDurationUpdate: 250,
    textStyle: looks.text,
    aria: { enabled: false, decal: { show: looks.decal } },
    ...chart(answer, looks, { counts, data, visual }),
  };
};

const CHARTS = {
  line: (answer, looks) => {
    const known = new Map(answer.rows);
    const [first, last] = [dayNumber(answer.rows[0][0]), dayNumber(answer.rows.at(-1)[0])];
    // A day without tickets has no row, and is drawn as 0, unless the period is so long that it would not show.
    const days = last - first < 4000 ? Array.from({ length: last - first + 1 }, (_, i) => dayText(first + i)) : [...known.keys()];
    const values = days.map((day) => known.get(day) ?? 0);
    return {
      grid: { left: 0.4 * looks.rem, right: 1.2 * looks.rem, top: looks.rem, bottom: 0.2 * looks.rem, containLabel: true },
      xAxis: axis(looks, {
        type: "category",
        data: days,
        boundaryGap: false,
        axisLabel: { ...looks.text, hideOverlap: true, alignMinLabel: "left", alignMaxLabel: "right", formatter: shortDate },
      }),
      yAxis: axis(looks, { type: "value", minInterval: 1, splitNumber: 4, axisLine: { show: false } }),
      tooltip: { ...tooltipFrame(looks), trigger: "axis", formatter: ([{ axisValue, data }]) => tip(longDate(axisValue), ["Tickets", number(data)]) },
      series: [
        {
          type: "line",
          name: "Tickets",
          data: values,
          showSymbol: values.length <= 62,
          symbol: "circle",
          symbolSize: 0.4 * looks.rem,
          lineStyle: { width: 0.13 * looks.rem, color: looks.accent },
          itemStyle: { color: looks.accent },
          areaStyle: { color: fade(looks.accent, 0.12) },
        },
      ],
    };
  },

  donut: (answer, looks, { counts }) => ({
    title: {
      text: number(counts.all.tickets[0]),
      subtext: "tickets",
      left: "center",
      top: "center",
      itemGap: 0.15 * looks.rem,
      textStyle: { ...looks.text, fontSize: 1.55 * looks.rem, lineHeight: 1.6 * looks.rem, fontWeight: 650, color: looks.ink },
      subtextStyle: { ...looks.text, lineHeight: looks.rem },
    },
    tooltip: {
      ...tooltipFrame(looks),
      formatter: ({ data }) => tip(spoken("severity", data.name), ["Tickets", number(data.value)], ["Share", percent(data.share)]),
    },
    series: [
      {
        type: "pie",
        radius: ["49%", "70%"],
        startAngle: 90,
        padAngle: 1,
        minAngle: 2,
        itemStyle: { borderRadius: 0.15 * looks.rem },
        label: {
          ...looks.text,
          color: looks.ink,
          formatter: ({ data }) => `{name|${data.name}}\n${percent(data.share)}`,
          lineHeight: 1.15 * looks.rem,
          rich: { name: { ...looks.text, fontWeight: 700, color: looks.ink } },
        },
        labelLine: { length: 0.9 * looks.rem, length2: 0.7 * looks.rem, lineStyle: { color: looks["ink-2"] } },
        data: answer.rows.map(([name, value, share]) => ({
          name,
          value,
          share,
          group: { severity: name },
          itemStyle: { color: severityColour(looks, name) },
        })),
      },
    ],
  }),

  gauge: (answer, looks) => {
    const [, tickets, breached, share] = answer.rows[0];
    return {
      tooltip: {
        ...tooltipFrame(looks),
        formatter: () => tip("Missed SLA targets", ["Missed", number(breached)], ["Of tickets", number(tickets)], ["Share", percent(share)]),
      },
      series: [
        {
          type: "gauge",
          min: 0,
          max: 100,
          startAngle: 205,
          endAngle: -25,
          center: ["50%", "64%"],
          radius: "100%",
          splitNumber: 4,
          progress: { show: true, roundCap: true, width: 0.9 * looks.rem, itemStyle: { color: looks.p1 } },
          axisLine: { roundCap: true, lineStyle: { width: 0.9 * looks.rem, color: [[1, looks.line]] } },
          axisTick: { show: false },
          splitLine: { show: false },
          axisLabel: { ...looks.text, show: !looks.isPaper, distance: 1.3 * looks.rem, fontSize: 0.7 * looks.rem, formatter: (value) => (value % 100 === 0 ? `${value}` : "") },
          pointer: { show: false },
          anchor: { show: false },
          title: { ...looks.text, offsetCenter: [0, "8%"] },
          detail: {
            valueAnimation: false,
            offsetCenter: [0, "-22%"],
            formatter: () => percent(share),
            fontSize: 2 * looks.rem,
            fontWeight: 650,
            fontFamily: looks.text.fontFamily,
            color: looks.ink,
          },
          data: [{ value: share, name: `${number(breached)} of ${number(tickets)}` }],
        },
      ],
    };
  },

  number: (answer, looks, { counts, data }) => {
    const [resolved, mean] = answer.rows[0];
    const weeks = weeklyMeans(counts, data);
    return {
      title: {
        text: hours(mean),
        subtext: `${humanHours(mean)} · ${number(resolved)} resolved`,
        left: "center",
        top: "10%",
        itemGap: 0.35 * looks.rem,
        textStyle: { ...looks.text, fontSize: 2.5 * looks.rem, lineHeight: 2.7 * looks.rem, fontWeight: 650, color: looks.ink },
        subtextStyle: { ...looks.text, fontSize: 0.85 * looks.rem, lineHeight: 1.1 * looks.rem },
      },
      grid: { left: 0.4 * looks.rem, right: 0.4 * looks.rem, top: "56%", bottom: 1.3 * looks.rem },
      xAxis: axis(looks, {
        type: "category",
        data: weeks.map(([week]) => week),
        boundaryGap: false,
        ...noLine,
        axisLabel: { show: false },
        name: "by week of opening",
        nameLocation: "middle",
        nameGap: 0.3 * looks.rem,
        nameTextStyle: looks.text,
      }),
      yAxis: { type: "value", show: false, min: 0 },
      tooltip: { ...tooltipFrame(looks), trigger: "axis", formatter: ([{ axisValue, data: value }]) => tip(`Week of ${plainDate(axisValue)}`, ["Mean", hours(value)]) },
      series: [
        {
          type: "line",
          data: weeks.map(([, value]) => value),
          showSymbol: weeks.length === 1,
          smooth: 0.2,
          lineStyle: { width: 0.13 * looks.rem, color: looks["accent-2"] },
          itemStyle: { color: looks["accent-2"] },
          areaStyle: { color: fade(looks["accent-2"], 0.12) },
        },
      ],
    };
  },

  horizontal_bars: (answer, looks) => {
    const isNarrow = innerWidth < 40 * looks.rem;
    return {
      grid: { left: 0.2 * looks.rem, right: 6.2 * looks.rem, top: 0.2 * looks.rem, bottom: 0.2 * looks.rem, containLabel: true },
      xAxis: { type: "value", show: false },
      yAxis: axis(looks, {
        type: "category",
        inverse: true,
        data: answer.rows.map(([market]) => market),
        ...noLine,
        axisLabel: {
          ...looks.text,
          color: looks.ink,
          width: 7.4 * looks.rem,
          overflow: "truncate",
          formatter: (market) => (isNarrow ? market : spoken("market", market)),
        },
      }),
      tooltip: {
        ...tooltipFrame(looks),
        formatter: ({ data }) => tip(spoken("market", data.name), ["Tickets", number(data.value)], ["Share", percent(data.share)]),
      },
      series: [
        {
          type: "bar",
          barWidth: "62%",
          barMaxWidth: 2.4 * looks.rem,
          itemStyle: { color: looks.accent, borderRadius: [0, 0.2 * looks.rem, 0.2 * looks.rem, 0] },
          label: {
            ...looks.text,
            show: true,
            position: "right",
            color: looks.ink,
            formatter: ({ data }) => `${number(data.value)}  {share|${percent(data.share)}}`,
            rich: { share: { ...looks.text, fontSize: 0.72 * looks.rem } },
          },
          data: answer.rows.map(([name, value, share]) => ({ name, value, share, group: { market: name } })),
        },
      ],
    };
  },

  tree_map: (answer, looks) => ({
    tooltip: {
      ...tooltipFrame(looks),
      formatter: ({ data }) => tip(data.name, ["Tickets", number(data.value)], ["Share", percent(data.share)]),
    },
    series: [
      {
        type: "treemap",
        left: 0,
        right: 0,
        top: 0,
        bottom: 0,
        roam: false,
        nodeClick: false,
        squareRatio: 1,
        breadcrumb: { show: false },
        itemStyle: { gapWidth: 0.2 * looks.rem, borderWidth: 0, borderColor: looks.surface, borderRadius: 0.3 * looks.rem },
        label: {
          ...looks.text,
          position: [0.5 * looks.rem, 0.45 * looks.rem],
          overflow: "truncate",
          formatter: ({ data }) => `{name|${data.name}}\n${number(data.value)}\n${percent(data.share)}`,
          lineHeight: 1.1 * looks.rem,
        },
        data: answer.rows.map(([name, value, share], place) => ({
          name,
          value,
          share,
          group: { category: name },
          itemStyle: { color: looks.tree[place] },
          label: { color: looks.onTree[place], rich: { name: { ...looks.text, fontSize: 0.82 * looks.rem, fontWeight: 650, color: looks.onTree[place] } } },
        })),
      },
    ],
  }),

  stacked_area: (answer, looks) => {
    const area = (name, column, colour) => ({
      type: "line",
      name,
      stack: "tickets",
      data: answer.rows.map((row) => row[column]),
      showSymbol: answer.rows.length === 1,
      symbol: "circle",
      symbolSize: 0.35 * looks.rem,
      // Where none are open, a line would hide that of the closed ones.
      lineStyle: { width: name === "Open" ? 0 : 0.13 * looks.rem, color: colour },
      itemStyle: { color: colour },
      areaStyle: { color: fade(colour, name === "Open" ? 0.85 : 0.3) },
    });
    return {
      legend: { right: 0, top: 0, itemWidth: looks.rem, itemHeight: 0.6 * looks.rem, icon: "roundRect", textStyle: { ...looks.text, color: looks.ink }, selectedMode: false },
      grid: { left: 0.4 * looks.rem, right: 1.2 * looks.rem, top: 2 * looks.rem, bottom: 0.2 * looks.rem, containLabel: true },
      xAxis: axis(looks, {
        type: "category",
        data: answer.rows.map(([week]) => week),
        boundaryGap: answer.rows.length === 1,
        axisLabel: { ...looks.text, hideOverlap: true, alignMinLabel: "left", alignMaxLabel: "right", formatter: shortDate },
      }),
      yAxis: axis(looks, { type: "value", minInterval: 1, splitNumber: 4, axisLine: { show: false } }),
      tooltip: {
        ...tooltipFrame(looks),
        trigger: "axis",
        formatter: ([{ dataIndex }]) => {
          const [week, tickets, open, closed] = answer.rows[dataIndex];
          return tip(`Week of ${plainDate(week)}`, ["Open", number(open)], ["Closed", number(closed)], ["Tickets", number(tickets)]);
        },
      },
      series: [area("Closed", 3, looks.closed), area("Open", 2, looks.open)],
    };
  },

  bars: (answer, looks, { data }) => {
    const percentiles = answer.columns.includes("median_hours");
    return {
      legend: {
        right: 0,
        top: 0,
        itemWidth: looks.rem,
        itemHeight: 0.6 * looks.rem,
        textStyle: { ...looks.text, color: looks.ink },
        selectedMode: false,
        data: [{ name: "Mean", itemStyle: { color: looks["ink-2"] } }, { name: "SLA target", icon: "rect" }],
      },
      grid: { left: 0.4 * looks.rem, right: 0.4 * looks.rem, top: 2.4 * looks.rem, bottom: 0.2 * looks.rem, containLabel: true },
      xAxis: axis(looks, {
        type: "category",
        data: answer.rows.map(([name]) => name),
        axisLabel: {
          ...looks.text,
          interval: 0,
          color: looks.ink,
          lineHeight: 1.2 * looks.rem,
          formatter: (name) => `${name}\n{mean|${hours(answer.rows.find((row) => row[0] === name)[2])}}`,
          rich: { mean: { ...looks.text, fontSize: 0.9 * looks.rem, fontWeight: 650, color: looks.ink } },
        },
      }),
      yAxis: axis(looks, { type: "value", splitNumber: 4, axisLine: { show: false }, axisLabel: { ...looks.text, formatter: (value) => `${value} h` } }),
      tooltip: {
        ...tooltipFrame(looks),
        trigger: "axis",
        axisPointer: { type: "shadow", shadowStyle: { color: fade(looks.accent, 0.08) } },
        formatter: ([{ dataIndex }]) => {
          const [name, resolved, mean, median, p95] = answer.rows[dataIndex];
          return tip(
            spoken("severity", name),
            ["Mean", hours(mean)],
            ...(percentiles ? [["Median", hours(median)], ["95 % within", hours(p95)]] : []),
            ["SLA target", hours(data.sla_hours[name])],
            ["Resolved", number(resolved)],
          );
        },
      },
      series: [
        {
          type: "bar",
          name: "Mean",
          barWidth: "46%",
          barMaxWidth: 5 * looks.rem,
          data: answer.rows.map(([name, , mean]) => ({
            name,
            value: mean,
            group: { severity: name },
            itemStyle: { color: severityColour(looks, name), borderRadius: [0.2 * looks.rem, 0.2 * looks.rem, 0, 0] },
          })),
        },
        {
          type: "scatter",
          name: "SLA target",
          symbol: "rect",
          symbolSize: [3.6 * looks.rem, 0.2 * looks.rem],
          itemStyle: { color: looks.ink, borderColor: looks.surface, borderWidth: 1 },
          silent: true,
          data: answer.rows.map(([name]) => [name, data.sla_hours[name] ?? null]),
        },
      ],
    };
  },

  heat_map: (answer, looks) => {
    const severities = ["P1", "P2", "P3", "P4"].filter((_, place) => answer.rows.some((row) => row[1 + place] > 0));
    const markets = answer.rows.map(([market]) => market);
    const cells = answer.rows.flatMap((row) =>
      severities.map((severity) => ({ market: row[0], severity, tickets: row[answer.columns.indexOf(severity.toLowerCase())] })),
    );
    const most = Math.max(...cells.map(({ tickets }) => tickets), 1);
    const isNarrow = innerWidth < 40 * looks.rem;
    return {
      grid: { left: 0.2 * looks.rem, right: 0.2 * looks.rem, top: 1.6 * looks.rem, bottom: 0.2 * looks.rem, containLabel: true },
      xAxis: axis(looks, { type: "category", position: "top", data: severities, ...noLine, axisLabel: { ...looks.text, color: looks.ink, fontWeight: 650 } }),
      yAxis: axis(looks, {
        type: "category",
        inverse: true,
        data: markets,
        ...noLine,
        axisLabel: {
          ...looks.text,
          color: looks.ink,
          width: 7.4 * looks.rem,
          overflow: "truncate",
          formatter: (market) => (isNarrow ? market : spoken("market", market)),
        },
      }),
      visualMap: { show: false, min: 0, max: most, dimension: 2, inRange: { color: [looks["heat-0"], looks["heat-1"]] } },
      tooltip: {
        ...tooltipFrame(looks),
        formatter: ({ data: cell }) =>
          tip(`${spoken("market", cell.group.market)}, ${spoken("severity", cell.group.severity)}`, ["Tickets", number(cell.value[2])]),
      },
      series: [
        {
          type: "heatmap",
          itemStyle: { borderColor: looks.surface, borderWidth: 0.15 * looks.rem, borderRadius: 0.25 * looks.rem },
          label: { ...looks.text, show: true, formatter: ({ data: cell }) => number(cell.value[2]) },
          emphasis: { itemStyle: { borderColor: looks.ink } },
          data: cells.map(({ market, severity, tickets }) => ({
            value: [severity, market, tickets],
            group: { market, severity },
            label: { color: contrasting(mixed(looks["heat-0"], looks["heat-1"], tickets / most)) },
          })),
        },
      ],
    };
  },
};

// The mean hours to resolution of the tickets opened in each week, where any are resolved.
const weeklyMeans = (counts, { days }) => {
  const weeks = new Map();
  days.forEach((day, place) => {
    const resolved = counts.day.tickets[place] - counts.day.open[place];
    const [seconds, n] = weeks.get(mondayOf(day)) ?? [0, 0];
    weeks.set(mondayOf(day), [seconds + counts.day.seconds[place], n + resolved]);
  });
  return [...weeks].filter(([, [, n]]) => n > 0).map(([monday, [seconds, n]]) => [dayText(monday), round(seconds / n / 3600)]);
};
