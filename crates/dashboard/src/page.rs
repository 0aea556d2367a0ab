//! The page: one HTML file with everything in it, under a policy that lets nothing else in.

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::payload::Contents;

/// Apache ECharts 6.1.0, `dist/echarts.min.js` of the npm package, unchanged.
pub const ECHARTS: &str = include_str!("../assets/echarts/echarts.min.js");
/// What its licence asks to be handed on.
const ECHARTS_NOTICE: &str = include_str!("../assets/echarts/NOTICE");
const SKELETON: &str = include_str!("../page/skeleton.html");
const STYLE: &str = include_str!("../page/style.css");

/// The page's own code, in the order in which it is read.
const SCRIPTS: [&str; 12] = [
    include_str!("../page/payload.js"),
    include_str!("../page/filters.js"),
    include_str!("../page/answers.js"),
    include_str!("../page/format.js"),
    include_str!("../page/look.js"),
    include_str!("../page/time_charts.js"),
    include_str!("../page/group_charts.js"),
    include_str!("../page/charts.js"),
    include_str!("../page/pictures.js"),
    include_str!("../page/cards.js"),
    include_str!("../page/controls.js"),
    include_str!("../page/app.js"),
];

/// Who shows the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A browser that opens the file; it never asks for anything else.
    FromFile,
    /// `dashboard serve`, which it asks for news.
    Served,
}

/// The page as HTML.
pub fn render(contents: &Contents, shown: Shown) -> Result<String> {
    let app = format!("\"use strict\";\n(() => {{\n{}\n}})();\n", SCRIPTS.join("\n"));
    let mut page = SKELETON.to_owned();
    // The payload last: it is long, and what it holds is of another alphabet than the marks.
    for (mark, text) in [
        ("{{policy}}", policy(&app, shown)),
        ("{{notice}}", ECHARTS_NOTICE.trim().to_owned()),
        ("{{title}}", contents.definition.title.to_owned()),
        ("{{live}}", if shown == Shown::Served { " data-live" } else { "" }.to_owned()),
        ("{{style}}", STYLE.to_owned()),
        ("{{app}}", app),
        ("{{echarts}}", ECHARTS.to_owned()),
        ("{{payload}}", contents.to_text()?),
    ] {
        page = page.replacen(mark, &text, 1);
    }
    Ok(page)
}

/// Scripts and style only as they are here, pictures only from the page itself, and no connection but to the server that
/// shows the page.
fn policy(app: &str, shown: Shown) -> String {
    let connections = if shown == Shown::Served { " connect-src 'self';" } else { "" };
    format!(
        "default-src 'none';{connections} script-src '{}' '{}'; style-src-elem '{}'; style-src-attr 'unsafe-inline'; \
         img-src data: blob:; base-uri 'none'; form-action 'none'",
        source_hash(ECHARTS),
        source_hash(app),
        source_hash(STYLE)
    )
}

fn source_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}
