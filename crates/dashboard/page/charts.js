// Converts answers to ECharts options, one function per chart form. No aggregation happens here.

const CHARTS = { ...TIME_CHARTS, ...GROUP_CHARTS };

// Returns the ECharts option of a visual, or null if it has no rows.
const chartOption = (visual, answer, counts, data, styles) => {
  const chart = CHARTS[visual.form];
  if (!chart || answer.rows.length === 0) return null;
  return {
    animation: !styles.reducedMotion,
    animationDuration: 350,
    animationDurationUpdate: 250,
    textStyle: styles.text,
    ...chart(answer, styles, { counts, data, visual }),
  };
};
