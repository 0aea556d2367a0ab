// Charts by market, severity and category.

// Markets from top to bottom; narrow cards show their codes.
const marketAxis = (answer, looks) => {
  const isNarrow = innerWidth < 40 * looks.rem;
  return axis(looks, {
    type: "category",
    inverse: true,
    data: answer.rows.map(([market]) => market),
    ...noLine,
    axisLabel: {
      ...looks.text,
      color: looks.ink,
      width: 8.8 * looks.rem,
      overflow: "truncate",
      formatter: (market) => (isNarrow ? market : spoken("market", market)),
    },
  });
};

const GROUP_CHARTS = {
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
        // A donut with one slice has no gap.
        padAngle: answer.rows.length > 1 ? 1 : 0,
        minAngle: 2,
        itemStyle: { borderRadius: answer.rows.length > 1 ? 0.15 * looks.rem : 0 },
        label: {
          ...looks.text,
          color: looks.ink,
          formatter: ({ data }) => `{name|${data.name}}\n${shortPercent(data.share)}`,
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

  horizontal_bars: (answer, looks) => ({
    grid: { left: 0.2 * looks.rem, right: 6.2 * looks.rem, top: 0.2 * looks.rem, bottom: 0.2 * looks.rem, containLabel: true },
    xAxis: { type: "value", show: false, max: "dataMax" },
    yAxis: marketAxis(answer, looks),
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
          formatter: ({ data }) => `${number(data.value)}  {share|${shortPercent(data.share)}}`,
          rich: { share: { ...looks.text, fontSize: 0.72 * looks.rem } },
        },
        data: answer.rows.map(([name, value, share]) => ({ name, value, share, group: { market: name } })),
      },
    ],
  }),

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
        sort: false,
        squareRatio: 1,
        breadcrumb: { show: false },
        itemStyle: { gapWidth: 0.2 * looks.rem, borderWidth: 0, borderColor: looks.surface, borderRadius: 0.3 * looks.rem },
        label: {
          ...looks.text,
          position: [0.5 * looks.rem, 0.45 * looks.rem],
          overflow: "truncate",
          formatter: ({ data }) => `{name|${data.name}}\n${number(data.value)}\n${shortPercent(data.share)}`,
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
        data: [{ name: "Mean", itemStyle: { color: looks["ink-2"] } }, { name: "SLA target", icon: "path://M0 0H32V5H0Z", itemStyle: { color: looks.ink, borderWidth: 0 } }],
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
          formatter: (name) => {
            const mean = answer.rows.find((row) => row[0] === name)[2];
            const target = data.sla_hours[name];
            return `${name}\n{${mean > target ? "late" : "mean"}|${hours(mean)}}${target ? `\n{target|target ${hours(target)}}` : ""}`;
          },
          rich: {
            mean: { ...looks.text, fontSize: 0.9 * looks.rem, fontWeight: 650, color: looks.ink },
            late: { ...looks.text, fontSize: 0.9 * looks.rem, fontWeight: 650, color: looks.p1 },
            target: { ...looks.text, fontSize: 0.72 * looks.rem },
          },
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
          barMaxWidth: 3 * looks.rem,
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
    const cells = answer.rows.flatMap((row) =>
      severities.map((severity) => ({ market: row[0], severity, tickets: row[answer.columns.indexOf(severity.toLowerCase())] })),
    );
    const most = Math.max(...cells.map(({ tickets }) => tickets), 1);
    return {
      grid: { left: 0.2 * looks.rem, right: 0.2 * looks.rem, top: 1.6 * looks.rem, bottom: 0.2 * looks.rem, containLabel: true },
      xAxis: axis(looks, { type: "category", position: "top", data: severities, ...noLine, axisLabel: { ...looks.text, color: looks.ink, fontWeight: 650 } }),
      yAxis: marketAxis(answer, looks),
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
