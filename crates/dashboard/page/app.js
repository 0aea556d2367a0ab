// Entry point: builds the page and redraws it when its URL, theme, size or, if served, its data changes.

const THEME = "dashboard-theme";

const start = async () => {
  const data = await readPayload();
  let filters = readFilters(location.hash);
  let cards = [];
  let filterBar = null;
  let results = null;

  const actions = {
    filters: () => filters,
    filter: (next) => (location.hash = writeFilters(next)),
    drill: (group) => actions.filter(drillDown(filters, group)),
    redraw: (card) => drawCards([card], results),
    showAllAsTables: (asTables) => {
      for (const card of cards) card.asTable = asTables || card.visual.form === "table";
      drawAll();
    },
    switchTheme: () => {
      const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      storeTheme(next);
      setTheme(next);
      drawAll();
    },
    context: () => ({
      filters: describeFilters(filters),
      origin: `As of ${data.about.as_of.slice(0, 10)} · seed ${data.about.seed ?? "none"} · manifest ${(data.about.manifest_sha256 ?? "none").slice(0, 12)}`,
    }),
  };

  const drawAll = (styles) => drawCards(cards, results, styles);
  const update = () => {
    filters = readFilters(location.hash);
    const { answers, counts, tickets } = answerAll(data, filters);
    results = { answers, counts, data, actions };
    filterBar.update(filters, tickets);
    drawAll();
  };

  setTheme(preferredTheme());
  filterBar = makeFilterBar(data, actions);
  cards = data.definition.visuals.map((visual) => makeCard(visual, actions));
  const main = element("main", { id: "visuals", tabindex: "-1" }, ...cards.map((card) => card.root));
  const skip = element("a", { class: "skip", href: "#visuals" }, "Skip to the visuals");
  skip.addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  document.getElementById("page").append(skip, makeHead(data, actions), filterBar.root, main);
  update();
  addEventListener("hashchange", update);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    setTheme(preferredTheme());
    drawAll();
  });
  redrawOnResize(main, () => drawAll({ ...readStyles(), reducedMotion: true }));
  redrawForPrint(drawAll);
  if (document.documentElement.hasAttribute("data-live")) pollVersion();
  document.documentElement.dataset.ready = "";
  performance.mark("ready");
};

// Some browsers have no local storage for file: URLs.
const preferredTheme = () => {
  const stored = (() => {
    try {
      return localStorage.getItem(THEME);
    } catch {
      return null;
    }
  })();
  return stored ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
};
const storeTheme = (theme) => {
  try {
    localStorage.setItem(THEME, theme);
  } catch {
    // Without storage the theme lasts until the page is closed.
  }
};
const setTheme = (theme) => (document.documentElement.dataset.theme = theme === "dark" ? "dark" : "light");

const redrawOnResize = (main, drawAll) => {
  const size = () => `${main.clientWidth} ${main.clientHeight}`;
  let drawn = size();
  let frame = 0;
  new ResizeObserver(() => {
    if (size() === drawn || document.documentElement.classList.contains("printing")) return;
    drawn = size();
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(drawAll);
  }).observe(main);
};

// Prints use the light theme and the width of the paper.
const redrawForPrint = (drawAll) => {
  let theme = null;
  addEventListener("beforeprint", () => {
    theme = document.documentElement.dataset.theme;
    document.documentElement.classList.add("printing");
    setTheme("light");
    drawAll();
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    setTheme(theme ?? preferredTheme());
    drawAll();
  });
};

// Polls the server for the version of the data and reloads the page when it changes; the URL keeps the filters.
const pollVersion = () => {
  let currentVersion = null;
  setInterval(async () => {
    try {
      const version = await (await fetch("version", { cache: "no-store" })).text();
      if (currentVersion !== null && version !== currentVersion) location.reload();
      currentVersion ??= version;
    } catch {
      // The server is not running; the next poll retries.
    }
  }, 2000);
};

start().catch((error) => {
  const text = `This page can't be shown: ${error.message}. It needs a browser of 2023 or later.`;
  document.getElementById("page").replaceChildren(element("p", { class: "failure", role: "alert" }, text));
});
