// From an answer to what ECharts draws, one function a form. Nothing is counted here.

const CHARTS = { ...TIME_CHARTS, ...GROUP_CHARTS };

// What is drawn for a visual, or null if there is nothing to draw.
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
