// Converts answers to ECharts options, one function per chart form. No aggregation happens here.

const CHARTS = { ...TIME_CHARTS, ...GROUP_CHARTS };

// Returns the ECharts option of a visual, or null if it has no rows.
const chartOption = (visual, answer, counts, data, looks) => {
  const chart = CHARTS[visual.form];
  if (!chart || answer.rows.length === 0) return null;
  return {
    animation: !looks.still,
    animationDuration: 350,
    animationDurationUpdate: 250,
    textStyle: looks.text,
    ...chart(answer, looks, { counts, data, visual }),
  };
};
