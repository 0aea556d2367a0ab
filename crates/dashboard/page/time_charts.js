// Charts over time: tickets by day and week, and the mean resolution time by week.

const TIME_CHARTS = {
  line: (answer, looks) => {
    const known = new Map(answer.rows);
    const [first, last] = [dayNumber(answer.rows[0][0]), dayNumber(answer.rows.at(-1)[0])];
    // A day without tickets has no row and is drawn as 0, except in periods so long that it would not be visible.
    const days = last - first < 4000 ? Array.from({ length: last - first + 1 }, (_, i) => dayText(first + i)) : [...known.keys()];
    const values = days.map((day) => known.get(day) ?? 0);
    return {
      grid: { left: 0.4 * looks.rem, right: 1.2 * looks.rem, top: looks.rem, bottom: 0.2 * looks.rem, containLabel: true },
      xAxis: axis(looks, {
        type: "category",
        data: days,
        boundaryGap: values.length === 1,
        axisLabel: dateLabel(looks, days.length),
      }),
      yAxis: axis(looks, { type: "value", minInterval: 1, splitNumber: 4, axisLine: { show: false } }),
      tooltip: { ...tooltipFrame(looks), trigger: "axis", formatter: ([{ axisValue, data }]) => tip(longDate(axisValue), ["Tickets", number(data)]) },
      series: [
        {
          type: values.length > 1 ? "line" : "bar",
          name: "Tickets",
          data: values,
          barWidth: 5 * looks.rem,
          showSymbol: values.length <= 62,
          showAllSymbol: true,
          symbol: "circle",
          symbolSize: 0.4 * looks.rem,
          lineStyle: { width: 0.13 * looks.rem, color: looks.accent },
          itemStyle: { color: looks.accent },
          areaStyle: { color: fade(looks.accent, 0.12) },
        },
      ],
    };
  },

  number: (answer, looks, { counts, data }) => {
    const [resolved, mean] = answer.rows[0];
    const weeks = weeklyMeans(counts, data);
    // A single week has no trend; only the number is shown.
    const hasCourse = weeks.length > 1;
    return {
      title: {
        text: hours(mean),
        subtext: `${humanHours(mean)} · ${number(resolved)} resolved`,
        left: "center",
        top: hasCourse ? "10%" : "middle",
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
        name: hasCourse ? "by week of opening" : "",
        nameLocation: "middle",
        nameGap: 0.3 * looks.rem,
        nameTextStyle: looks.text,
      }),
      yAxis: { type: "value", show: false, min: 0 },
      tooltip: { ...tooltipFrame(looks), trigger: "axis", formatter: ([{ axisValue, data: value }]) => tip(`Week of ${plainDate(axisValue)}`, ["Mean", hours(value)]) },
      series: [
        {
          type: "line",
          data: hasCourse ? weeks.map(([, value]) => value) : [],
          showSymbol: false,
          smooth: 0.2,
          lineStyle: { width: 0.13 * looks.rem, color: looks["accent-2"] },
          itemStyle: { color: looks["accent-2"] },
          areaStyle: { color: fade(looks["accent-2"], 0.12) },
        },
      ],
    };
  },

  stacked_area: (answer, looks) => {
    // A single week has no width for an area and is drawn as a bar.
    const isBar = answer.rows.length === 1;
    const area = (name, column, colour) => ({
      type: isBar ? "bar" : "line",
      name,
      stack: "tickets",
      data: answer.rows.map((row) => row[column]),
      barWidth: 5 * looks.rem,
      showSymbol: false,
      // Without open tickets, their line would cover the line of closed tickets.
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
        boundaryGap: isBar,
        axisLabel: dateLabel(looks, answer.rows.length),
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
};

// The labels of the first and last date stay within the chart.
const dateLabel = (looks, n) => ({
  ...looks.text,
  hideOverlap: true,
  ...(n > 1 ? { alignMinLabel: "left", alignMaxLabel: "right" } : {}),
  formatter: shortDate,
});

// The mean hours to resolution of the tickets opened in each week, for weeks with resolved tickets.
const weeklyMeans = (counts, { days }) => {
  const weeks = new Map();
  days.forEach((day, place) => {
    const resolved = counts.day.tickets[place] - counts.day.open[place];
    const [seconds, n] = weeks.get(mondayOf(day)) ?? [0, 0];
    weeks.set(mondayOf(day), [seconds + counts.day.seconds[place], n + resolved]);
  });
  return [...weeks].filter(([, [, n]]) => n > 0).map(([monday, [seconds, n]]) => [dayText(monday), round(seconds / n / 3600)]);
};
