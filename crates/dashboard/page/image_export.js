// Exports a card as an image with its heading, filters and data set above the chart.

const saveSvg = (card, context) => save(`${card.visual.id}.svg`, new XMLSerializer().serializeToString(picture(card, context).svg), "image/svg+xml");

const savePng = async (card, context) => {
  const { svg, width, height } = picture(card, context);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
  await image.decode();
  const canvas = element("canvas", { width: width * 2, height: height * 2 });
  canvas.getContext("2d").drawImage(image, 0, 0, width * 2, height * 2);
  canvas.toBlob((blob) => save(`${card.visual.id}.png`, blob, "image/png"));
};

const picture = (card, context) => {
  const looks = look();
  const content = card.asTable || card.answer.rows.length === 0 ? tablePicture(card, looks) : chartPicture(card);
  const gap = looks.rem;
  const top = 4.6 * looks.rem;
  const width = Math.max(content.width, 24 * looks.rem) + 2 * gap;
  const height = content.height + top + gap;
  const line = (y, size, colour, weight, text) =>
    svgElement("text", { x: gap, y, "font-size": size * looks.rem, "font-weight": weight, fill: colour, "font-family": looks.text.fontFamily }, text);
  content.svg.setAttribute("x", gap);
  content.svg.setAttribute("y", top);
  const svg = svgElement(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` },
    svgElement("rect", { width, height, fill: looks.surface }),
    line(1.7 * looks.rem, 1.1, looks.ink, 650, card.visual.title),
    line(2.8 * looks.rem, 0.75, looks["ink-2"], 400, context.filters),
    line(3.8 * looks.rem, 0.75, looks["ink-2"], 400, context.origin),
    content.svg,
  );
  return { svg, width, height };
};

const chartPicture = (card) => {
  const svg = card.figure.querySelector("svg").cloneNode(true);
  const { width, height } = card.figure.getBoundingClientRect();
  svg.removeAttribute("style");
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  return { svg, width, height };
};

// Truncates a text and replaces characters that are not allowed in XML.
const pictured = (text) => {
  const characters = [...text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")];
  return characters.length > 60 ? `${characters.slice(0, 59).join("")}…` : characters.join("");
};

const tablePicture = ({ answer }, looks) => {
  const size = 0.75 * looks.rem;
  const columns = tableColumns(answer);
  const texts = [columns.map((column) => COLUMN_TITLES[column] ?? column), ...answer.rows.map((row) => columns.map((column) => pictured(shown(column, row[answer.columns.indexOf(column)]))))];
  const widths = columns.map((_, place) => Math.max(...texts.map((row) => row[place].length)) * size * 0.6 + size * 1.4);
  const height = texts.length * size * 1.8;
  const svg = svgElement("svg", { width: widths.reduce((sum, width) => sum + width, 0), height });
  texts.forEach((row, place) => {
    let x = 0;
    row.forEach((text, column) => {
      const fill = place === 0 ? looks["ink-2"] : looks.ink;
      svg.append(svgElement("text", { x, y: (place + 1) * size * 1.8 - size * 0.6, fill, "font-size": size, "font-family": looks.text.fontFamily }, text));
      x += widths[column];
    });
  });
  return { svg, width: widths.reduce((sum, width) => sum + width, 0), height };
};
