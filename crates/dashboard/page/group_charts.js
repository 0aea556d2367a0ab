// Charts by market, severity and category.

// Markets from top to bottom; narrow cards show their codes.
const marketAxis = (answer, styles) => {
  const isNarrow = innerWidth < 40 * styles.rem;
  return axis(styles, {
    type: "category",
    inverse: true,
    data: answer.rows.map(([market]) => market),
    ...noLine,
    axisLabel: {
      ...styles.text,
      color: styles.ink,
      width: 8.8 * styles.rem,
      overflow: "truncate",
      formatter: (market) => (isNarrow ? market : displayName("market", market)),
    },
  });
};

const GROUP_CHARTS = {
  donut: (answer, styles, { counts }) => ({
    title: {
      text: number(counts.all.tickets[0]),
      subtext: "tickets",
      left: "center",
      top: "center",
      itemGap: 0.15 * styles.rem,
      textStyle: { ...styles.text, fontSize: 1.55 * styles.rem, lineHeight: 1.6 * styles.rem, fontWeight: 650, color: styles.ink },
      subtextStyle: { ...styles.text, lineHeight: styles.rem },
    },
    tooltip: {
      ...tooltipFrame(styles),
      formatter: ({ data }) => tooltipContent(displayName("severity", data.name), ["Tickets", number(data.value)], ["Share", percent(data.share)]),
    },
    series: [
      {
        type: "pie",
        radius: ["49%", "70%"],
        startAngle: 90,
        // A donut with one slice has no gap.
        padAngle: answer.rows.length > 1 ? 1 : 0,
        minAngle: 2,
        itemStyle: { borderRadius: answer.rows.length > 1 ? 0.15 * styles.rem : 0 },
        label: {
          ...styles.text,
          color: styles.ink,
          formatter: ({ data }) => `{name|${data.name}}\n${shortPercent(data.share)}`,
          lineHeight: 1.15 * styles.rem,
          rich: { name: { ...styles.text, fontWeight: 700, color: styles.ink } },
        },
        labelLine: { length: 0.9 * styles.rem, length2: 0.7 * styles.rem, lineStyle: { color: styles["ink-2"] } },
        data: answer.rows.map(([name, value, share]) => ({
          name,
          value,
          share,
          group: { severity: name },
          itemStyle: { color: severityColour(styles, name) },
        })),
      },
    ],
  }),

  gauge: (answer, styles) => {
    const [, tickets, breached, share] = answer.rows[0];
    return {
      tooltip: {
        ...tooltipFrame(styles),
        formatter: () => tooltipContent("Missed SLA targets", ["Missed", number(breached)], ["Of tickets", number(tickets)], ["Share", percent(share)]),
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
          progress: { show: true, roundCap: true, width: 0.9 * styles.rem, itemStyle: { color: styles.p1 } },
          axisLine: { roundCap: true, lineStyle: { width: 0.9 * styles.rem, color: [[1, styles.line]] } },
          axisTick: { show: false },
          splitLine: { show: false },
          axisLabel: { ...styles.text, show: !styles.isPrint, distance: 1.3 * styles.rem, fontSize: 0.7 * styles.rem, formatter: (value) => (value % 100 === 0 ? `${value}` : "") },
          pointer: { show: false },
          anchor: { show: false },
          title: { ...styles.text, offsetCenter: [0, "8%"] },
          detail: {
            valueAnimation: false,
            offsetCenter: [0, "-22%"],
            formatter: () => percent(share),
            fontSize: 2 * styles.rem,
            fontWeight: 650,
            fontFamily: styles.text.fontFamily,
            color: styles.ink,
          },
          data: [{ value: share, name: `${number(breached)} of ${number(tickets)}` }],
        },
      ],
    };
  },

  horizontal_bars: (answer, styles) => ({
    grid: { left: 0.2 * styles.rem, right: 6.2 * styles.rem, top: 0.2 * styles.rem, bottom: 0.2 * styles.rem, containLabel: true },
    xAxis: { type: "value", show: false, max: "dataMax" },
    yAxis: marketAxis(answer, styles),
    tooltip: {
      ...tooltipFrame(styles),
      formatter: ({ data }) => tooltipContent(displayName("market", data.name), ["Tickets", number(data.value)], ["Share", percent(data.share)]),
    },
    series: [
      {
        type: "bar",
        barWidth: "62%",
        barMaxWidth: 2.4 * styles.rem,
        itemStyle: { color: styles.accent, borderRadius: [0, 0.2 * styles.rem, 0.2 * styles.rem, 0] },
        label: {
          ...styles.text,
          show: true,
          position: "right",
          color: styles.ink,
          formatter: ({ data }) => `${number(data.value)}  {share|${shortPercent(data.share)}}`,
          rich: { share: { ...styles.text, fontSize: 0.72 * styles.rem } },
        },
        data: answer.rows.map(([name, value, share]) => ({ name, value, share, group: { market: name } })),
      },
    ],
  }),

  tree_map: (answer, styles) => ({
    tooltip: {
      ...tooltipFrame(styles),
      formatter: ({ data }) => tooltipContent(data.name, ["Tickets", number(data.value)], ["Share", percent(data.share)]),
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
        itemStyle: { gapWidth: 0.2 * styles.rem, borderWidth: 0, borderColor: styles.surface, borderRadius: 0.3 * styles.rem },
        label: {
          ...styles.text,
          position: [0.5 * styles.rem, 0.45 * styles.rem],
          overflow: "truncate",
          formatter: ({ data }) => `{name|${data.name}}\n${number(data.value)}\n${shortPercent(data.share)}`,
          lineHeight: 1.1 * styles.rem,
        },
        data: answer.rows.map(([name, value, share], index) => ({
          name,
          value,
          share,
          group: { category: name },
          itemStyle: { color: styles.tree[index] },
          label: { color: styles.onTree[index], rich: { name: { ...styles.text, fontSize: 0.82 * styles.rem, fontWeight: 650, color: styles.onTree[index] } } },
        })),
      },
    ],
  }),

  bars: (answer, styles, { data }) => {
    const percentiles = answer.columns.includes("median_hours");
    return {
      legend: {
        right: 0,
        top: 0,
        itemWidth: styles.rem,
        itemHeight: 0.6 * styles.rem,
        textStyle: { ...styles.text, color: styles.ink },
        selectedMode: false,
        data: [{ name: "Mean", itemStyle: { color: styles["ink-2"] } }, { name: "SLA target", icon: "path://M0 0H32V5H0Z", itemStyle: { color: styles.ink, borderWidth: 0 } }],
      },
      grid: { left: 0.4 * styles.rem, right: 0.4 * styles.rem, top: 2.4 * styles.rem, bottom: 0.2 * styles.rem, containLabel: true },
      xAxis: axis(styles, {
        type: "category",
        data: answer.rows.map(([name]) => name),
        axisLabel: {
          ...styles.text,
          interval: 0,
          color: styles.ink,
          lineHeight: 1.2 * styles.rem,
          formatter: (name) => {
            const mean = answer.rows.find((row) => row[0] === name)[2];
            const target = data.sla_hours[name];
            return `${name}\n{${mean > target ? "late" : "mean"}|${hours(mean)}}${target ? `\n{target|target ${hours(target)}}` : ""}`;
          },
          rich: {
            mean: { ...styles.text, fontSize: 0.9 * styles.rem, fontWeight: 650, color: styles.ink },
            late: { ...styles.text, fontSize: 0.9 * styles.rem, fontWeight: 650, color: styles.p1 },
            target: { ...styles.text, fontSize: 0.72 * styles.rem },
          },
        },
      }),
      yAxis: axis(styles, { type: "value", splitNumber: 4, axisLine: { show: false }, axisLabel: { ...styles.text, formatter: (value) => `${value} h` } }),
      tooltip: {
        ...tooltipFrame(styles),
        trigger: "axis",
        axisPointer: { type: "shadow", shadowStyle: { color: withAlpha(styles.accent, 0.08) } },
        formatter: ([{ dataIndex }]) => {
          const [name, resolved, mean, median, p95] = answer.rows[dataIndex];
          return tooltipContent(
            displayName("severity", name),
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
          barMaxWidth: 3 * styles.rem,
          data: answer.rows.map(([name, , mean]) => ({
            name,
            value: mean,
            group: { severity: name },
            itemStyle: { color: severityColour(styles, name), borderRadius: [0.2 * styles.rem, 0.2 * styles.rem, 0, 0] },
          })),
        },
        {
          type: "scatter",
          name: "SLA target",
          symbol: "rect",
          symbolSize: [3.6 * styles.rem, 0.2 * styles.rem],
          itemStyle: { color: styles.ink, borderColor: styles.surface, borderWidth: 1 },
          silent: true,
          data: answer.rows.map(([name]) => [name, data.sla_hours[name] ?? null]),
        },
      ],
    };
  },

  heat_map: (answer, styles) => {
    const severities = ["P1", "P2", "P3", "P4"].filter((_, index) => answer.rows.some((row) => row[1 + index] > 0));
    const cells = answer.rows.flatMap((row) =>
      severities.map((severity) => ({ market: row[0], severity, tickets: row[answer.columns.indexOf(severity.toLowerCase())] })),
    );
    const most = Math.max(...cells.map(({ tickets }) => tickets), 1);
    return {
      grid: { left: 0.2 * styles.rem, right: 0.2 * styles.rem, top: 1.6 * styles.rem, bottom: 0.2 * styles.rem, containLabel: true },
      xAxis: axis(styles, { type: "category", position: "top", data: severities, ...noLine, axisLabel: { ...styles.text, color: styles.ink, fontWeight: 650 } }),
      yAxis: marketAxis(answer, styles),
      visualMap: { show: false, min: 0, max: most, dimension: 2, inRange: { color: [styles["heat-0"], styles["heat-1"]] } },
      tooltip: {
        ...tooltipFrame(styles),
        formatter: ({ data: cell }) =>
          tooltipContent(`${displayName("market", cell.group.market)}, ${displayName("severity", cell.group.severity)}`, ["Tickets", number(cell.value[2])]),
      },
      series: [
        {
          type: "heatmap",
          itemStyle: { borderColor: styles.surface, borderWidth: 0.15 * styles.rem, borderRadius: 0.25 * styles.rem },
          label: { ...styles.text, show: true, formatter: ({ data: cell }) => number(cell.value[2]) },
          emphasis: { itemStyle: { borderColor: styles.ink } },
          data: cells.map(({ market, severity, tickets }) => ({
            value: [severity, market, tickets],
            group: { market, severity },
            label: { color: contrastColour(blend(styles["heat-0"], styles["heat-1"], tickets / most)) },
          })),
        },
      ],
    };
  },
};
