// Styles of the charts: colours, sizes, axes and tooltips.

// Reads the current colours and sizes from the style sheet.
const readStyles = () => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = ["ink", "ink-2", "line", "surface", "accent", "accent-2", "open", "closed", "p1", "p2", "p3", "p4", "heat-0", "heat-1"];
  const rem = parseFloat(style.fontSize);
  const isPrint = document.documentElement.classList.contains("printing");
  return {
    ...Object.fromEntries(names.map((name) => [name, colour(name)])),
    tree: [1, 2, 3, 4, 5].map((index) => colour(`tree-${index}`)),
    onTree: [1, 2, 3, 4, 5].map((index) => colour(`on-tree-${index}`)),
    rem,
    text: { fontFamily: style.getPropertyValue("--font").trim(), fontSize: 0.8 * rem, color: colour("ink-2") },
    isPrint,
    reducedMotion: isPrint || matchMedia("(prefers-reduced-motion: reduce)").matches,
  };
};

// Tooltips are elements, so that their text is never parsed as HTML.
const tooltipContent = (title, ...lines) =>
  element(
    "div",
    { class: "tooltip" },
    element("strong", {}, title),
    ...lines.map(([name, value]) => element("div", {}, element("span", {}, name), element("b", {}, value))),
  );

const axis = (styles, more) => ({
  axisLine: { lineStyle: { color: styles.line } },
  axisTick: { show: false },
  axisLabel: { ...styles.text, hideOverlap: true },
  splitLine: { lineStyle: { color: styles.line } },
  ...more,
});
const noLine = { axisLine: { show: false }, splitLine: { show: false } };
const severityColour = (styles, name) => styles[name.toLowerCase()] || styles.accent;
const withAlpha = (colour, alpha) => {
  const [r, g, b] = rgb(colour);
  return `rgba(${r},${g},${b},${alpha})`;
};

const tooltipFrame = (styles) => ({
  backgroundColor: styles.surface,
  borderColor: styles.line,
  padding: 0,
  confine: true,
  textStyle: { ...styles.text, color: styles.ink },
});

const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
const blend = (a, b, share) => rgb(a).map((value, i) => value + (rgb(b)[i] - value) * share);

// Returns black or white, the one with the higher contrast to the colour (relative luminance of WCAG 2).
const contrastColour = (colour) => {
  const [r, g, b] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
};
