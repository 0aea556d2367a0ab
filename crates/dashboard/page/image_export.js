// Exports a card as an image with its heading, filters and data set above the chart.

const saveSvg = (card, context) => save(`${card.visual.id}.svg`, new XMLSerializer().serializeToString(cardImage(card, context).svg), "image/svg+xml");

const savePng = async (card, context) => {
  const { svg, width, height } = cardImage(card, context);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
  await image.decode();
  const canvas = element("canvas", { width: width * 2, height: height * 2 });
  canvas.getContext("2d").drawImage(image, 0, 0, width * 2, height * 2);
  canvas.toBlob((blob) => save(`${card.visual.id}.png`, blob, "image/png"));
};

const cardImage = (card, context) => {
  const styles = readStyles();
  const content = card.asTable || card.answer.rows.length === 0 ? tableImage(card, styles) : chartImage(card);
  const gap = styles.rem;
  const top = 4.6 * styles.rem;
  const width = Math.max(content.width, 24 * styles.rem) + 2 * gap;
  const height = content.height + top + gap;
  const line = (y, size, colour, weight, text) =>
    svgElement("text", { x: gap, y, "font-size": size * styles.rem, "font-weight": weight, fill: colour, "font-family": styles.text.fontFamily }, text);
  content.svg.setAttribute("x", gap);
  content.svg.setAttribute("y", top);
  const svg = svgElement(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` },
    svgElement("rect", { width, height, fill: styles.surface }),
    line(1.7 * styles.rem, 1.1, styles.ink, 650, card.visual.title),
    line(2.8 * styles.rem, 0.75, styles["ink-2"], 400, context.filters),
    line(3.8 * styles.rem, 0.75, styles["ink-2"], 400, context.origin),
    content.svg,
  );
  return { svg, width, height };
};

const chartImage = (card) => {
  const svg = card.figure.querySelector("svg").cloneNode(true);
  const { width, height } = card.figure.getBoundingClientRect();
  svg.removeAttribute("style");
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  return { svg, width, height };
};

// Truncates a text and replaces characters that are not allowed in XML.
const xmlText = (text) => {
  const characters = [...text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")];
  return characters.length > 60 ? `${characters.slice(0, 59).join("")}…` : characters.join("");
};

const tableImage = ({ answer }, styles) => {
  const size = 0.75 * styles.rem;
  const columns = tableColumns(answer);
  const texts = [columns.map((column) => COLUMN_TITLES[column] ?? column), ...answer.rows.map((row) => columns.map((column) => xmlText(cellText(column, row[answer.columns.indexOf(column)]))))];
  const widths = columns.map((_, index) => Math.max(...texts.map((row) => row[index].length)) * size * 0.6 + size * 1.4);
  const height = texts.length * size * 1.8;
  const svg = svgElement("svg", { width: widths.reduce((sum, width) => sum + width, 0), height });
  texts.forEach((row, index) => {
    let x = 0;
    row.forEach((text, column) => {
      const fill = index === 0 ? styles["ink-2"] : styles.ink;
      svg.append(svgElement("text", { x, y: (index + 1) * size * 1.8 - size * 0.6, fill, "font-size": size, "font-family": styles.text.fontFamily }, text));
      x += widths[column];
    });
  });
  return { svg, width: widths.reduce((sum, width) => sum + width, 0), height };
};
