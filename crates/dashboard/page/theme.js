// The theme of the charts: colours, sizes, axes and tooltips.

// Reads the current colours and sizes from the style sheet.
const look = () => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = ["ink", "ink-2", "line", "surface", "accent", "accent-2", "open", "closed", "p1", "p2", "p3", "p4", "heat-0", "heat-1"];
  const rem = parseFloat(style.fontSize);
  const isPaper = document.documentElement.classList.contains("printing");
  return {
    ...Object.fromEntries(names.map((name) => [name, colour(name)])),
    tree: [1, 2, 3, 4, 5].map((place) => colour(`tree-${place}`)),
    onTree: [1, 2, 3, 4, 5].map((place) => colour(`on-tree-${place}`)),
    rem,
    text: { fontFamily: style.getPropertyValue("--font").trim(), fontSize: 0.8 * rem, color: colour("ink-2") },
    isPaper,
    still: isPaper || matchMedia("(prefers-reduced-motion: reduce)").matches,
  };
};

// Tooltips are elements, so that their text is never parsed as HTML.
const tip = (title, ...lines) =>
  element(
    "div",
    { class: "tip" },
    element("strong", {}, title),
    ...lines.map(([name, value]) => element("div", {}, element("span", {}, name), element("b", {}, value))),
  );

const axis = (looks, more) => ({
  axisLine: { lineStyle: { color: looks.line } },
  axisTick: { show: false },
  axisLabel: { ...looks.text, hideOverlap: true },
  splitLine: { lineStyle: { color: looks.line } },
  ...more,
});
const noLine = { axisLine: { show: false }, splitLine: { show: false } };
const severityColour = (looks, name) => looks[name.toLowerCase()] || looks.accent;
const fade = (colour, alpha) => {
  const [r, g, b] = rgb(colour);
  return `rgba(${r},${g},${b},${alpha})`;
};

const tooltipFrame = (looks) => ({
  backgroundColor: looks.surface,
  borderColor: looks.line,
  padding: 0,
  confine: true,
  textStyle: { ...looks.text, color: looks.ink },
});

const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
const mixed = (a, b, share) => rgb(a).map((value, i) => value + (rgb(b)[i] - value) * share);

// Returns black or white, the one with the higher contrast to the colour (relative luminance of WCAG 2).
const contrasting = (colour) => {
  const [r, g, b] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
};
