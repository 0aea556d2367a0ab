// Charts over time: tickets by day and week, and the mean resolution time by week.

const TIME_CHARTS = {
  line: (answer, styles) => {
    const known = new Map(answer.rows);
    const [first, last] = [dayNumber(answer.rows[0][0]), dayNumber(answer.rows.at(-1)[0])];
    // A day without tickets has no row and is drawn as 0, except in periods so long that it would not be visible.
    const days = last - first < 4000 ? Array.from({ length: last - first + 1 }, (_, i) => dayText(first + i)) : [...known.keys()];
    const values = days.map((day) => known.get(day) ?? 0);
    return {
      grid: { left: 0.4 * styles.rem, right: 1.2 * styles.rem, top: styles.rem, bottom: 0.2 * styles.rem, containLabel: true },
      xAxis: axis(styles, {
        type: "category",
        data: days,
        boundaryGap: values.length === 1,
        axisLabel: dateLabel(styles, days.length),
      }),
      yAxis: axis(styles, { type: "value", minInterval: 1, splitNumber: 4, axisLine: { show: false } }),
      tooltip: { ...tooltipFrame(styles), trigger: "axis", formatter: ([{ axisValue, data }]) => tooltipContent(longDate(axisValue), ["Tickets", number(data)]) },
      series: [
        {
          type: values.length > 1 ? "line" : "bar",
          name: "Tickets",
          data: values,
          barWidth: 5 * styles.rem,
          showSymbol: values.length <= 62,
          showAllSymbol: true,
          symbol: "circle",
          symbolSize: 0.4 * styles.rem,
          lineStyle: { width: 0.13 * styles.rem, color: styles.accent },
          itemStyle: { color: styles.accent },
          areaStyle: { color: withAlpha(styles.accent, 0.12) },
        },
      ],
    };
  },

  number: (answer, styles, { counts, data }) => {
    const [resolved, mean] = answer.rows[0];
    const weeks = weeklyMeans(counts, data);
    // A single week has no trend; only the number is shown.
    const hasTrend = weeks.length > 1;
    return {
      title: {
        text: hours(mean),
        subtext: `${humanHours(mean)} · ${number(resolved)} resolved`,
        left: "center",
        top: hasTrend ? "10%" : "middle",
        itemGap: 0.35 * styles.rem,
        textStyle: { ...styles.text, fontSize: 2.5 * styles.rem, lineHeight: 2.7 * styles.rem, fontWeight: 650, color: styles.ink },
        subtextStyle: { ...styles.text, fontSize: 0.85 * styles.rem, lineHeight: 1.1 * styles.rem },
      },
      grid: { left: 0.4 * styles.rem, right: 0.4 * styles.rem, top: "56%", bottom: 1.3 * styles.rem },
      xAxis: axis(styles, {
        type: "category",
        data: weeks.map(([week]) => week),
        boundaryGap: false,
        ...noLine,
        axisLabel: { show: false },
        name: hasTrend ? "by week of opening" : "",
        nameLocation: "middle",
        nameGap: 0.3 * styles.rem,
        nameTextStyle: styles.text,
      }),
      yAxis: { type: "value", show: false, min: 0 },
      tooltip: { ...tooltipFrame(styles), trigger: "axis", formatter: ([{ axisValue, data: value }]) => tooltipContent(`Week of ${mediumDate(axisValue)}`, ["Mean", hours(value)]) },
      series: [
        {
          type: "line",
          data: hasTrend ? weeks.map(([, value]) => value) : [],
          showSymbol: false,
          smooth: 0.2,
          lineStyle: { width: 0.13 * styles.rem, color: styles["accent-2"] },
          itemStyle: { color: styles["accent-2"] },
          areaStyle: { color: withAlpha(styles["accent-2"], 0.12) },
        },
      ],
    };
  },

  stacked_area: (answer, styles) => {
    // A single week has no width for an area and is drawn as a bar.
    const isBar = answer.rows.length === 1;
    const area = (name, column, colour) => ({
      type: isBar ? "bar" : "line",
      name,
      stack: "tickets",
      data: answer.rows.map((row) => row[column]),
      barWidth: 5 * styles.rem,
      showSymbol: false,
      // Without open tickets, their line would cover the line of closed tickets.
      lineStyle: { width: name === "Open" ? 0 : 0.13 * styles.rem, color: colour },
      itemStyle: { color: colour },
      areaStyle: { color: withAlpha(colour, name === "Open" ? 0.85 : 0.3) },
    });
    return {
      legend: { right: 0, top: 0, itemWidth: styles.rem, itemHeight: 0.6 * styles.rem, icon: "roundRect", textStyle: { ...styles.text, color: styles.ink }, selectedMode: false },
      grid: { left: 0.4 * styles.rem, right: 1.2 * styles.rem, top: 2 * styles.rem, bottom: 0.2 * styles.rem, containLabel: true },
      xAxis: axis(styles, {
        type: "category",
        data: answer.rows.map(([week]) => week),
        boundaryGap: isBar,
        axisLabel: dateLabel(styles, answer.rows.length),
      }),
      yAxis: axis(styles, { type: "value", minInterval: 1, splitNumber: 4, axisLine: { show: false } }),
      tooltip: {
        ...tooltipFrame(styles),
        trigger: "axis",
        formatter: ([{ dataIndex }]) => {
          const [week, tickets, open, closed] = answer.rows[dataIndex];
          return tooltipContent(`Week of ${mediumDate(week)}`, ["Open", number(open)], ["Closed", number(closed)], ["Tickets", number(tickets)]);
        },
      },
      series: [area("Closed", 3, styles.closed), area("Open", 2, styles.open)],
    };
  },
};

// The labels of the first and last date stay within the chart.
const dateLabel = (styles, n) => ({
  ...styles.text,
  hideOverlap: true,
  ...(n > 1 ? { alignMinLabel: "left", alignMaxLabel: "right" } : {}),
  formatter: shortDate,
});

// The mean hours to resolution of the tickets opened in each week, for weeks with resolved tickets.
const weeklyMeans = (counts, { days }) => {
  const weeks = new Map();
  days.forEach((day, index) => {
    const resolved = counts.day.tickets[index] - counts.day.open[index];
    const [seconds, n] = weeks.get(mondayOf(day)) ?? [0, 0];
    weeks.set(mondayOf(day), [seconds + counts.day.seconds[index], n + resolved]);
  });
  return [...weeks].filter(([, [, n]]) => n > 0).map(([monday, [seconds, n]]) => [dayText(monday), round(seconds / n / 3600)]);
};
