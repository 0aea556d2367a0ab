//! The page: one self-contained HTML file with a strict content security policy.

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::payload::Contents;

/// Apache ECharts 6.1.0, `dist/echarts.min.js` of the npm package, unchanged.
pub const ECHARTS: &str = include_str!("../../assets/echarts/echarts.min.js");
/// The attribution notice that the licence of ECharts requires.
const ECHARTS_NOTICE: &str = include_str!("../../assets/echarts/NOTICE");
const SKELETON: &str = include_str!("../../page/skeleton.html");
const STYLE: &str = include_str!("../../page/style.css");

/// The scripts of the page, in load order.
const SCRIPTS: [&str; 12] = [
    include_str!("../../page/payload.js"),
    include_str!("../../page/filters.js"),
    include_str!("../../page/aggregate.js"),
    include_str!("../../page/format.js"),
    include_str!("../../page/theme.js"),
    include_str!("../../page/time_charts.js"),
    include_str!("../../page/group_charts.js"),
    include_str!("../../page/charts.js"),
    include_str!("../../page/image_export.js"),
    include_str!("../../page/cards.js"),
    include_str!("../../page/controls.js"),
    include_str!("../../page/app.js"),
];

/// The way the page is delivered to the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Opened as a file; it makes no requests.
    FromFile,
    /// Served by `dashboard serve`; it polls the server for new data.
    Served,
}

/// Renders the page as HTML.
///
/// # Errors
///
/// Fails if the payload is larger than 4 GiB or can't be compressed.
pub fn render(contents: &Contents, delivery: Delivery) -> Result<String> {
    let app = format!("\"use strict\";\n(() => {{\n{}\n}})();\n", SCRIPTS.join("\n"));
    let mut page = SKELETON.to_owned();
    // The payload comes last: it is long, and base64 text can't contain a placeholder.
    for (placeholder, text) in [
        ("{{policy}}", policy(&app, delivery)),
        ("{{notice}}", ECHARTS_NOTICE.trim().to_owned()),
        ("{{title}}", contents.definition.title.to_owned()),
        ("{{live}}", if delivery == Delivery::Served { " data-live" } else { "" }.to_owned()),
        ("{{style}}", STYLE.to_owned()),
        ("{{app}}", app),
        ("{{echarts}}", ECHARTS.to_owned()),
        ("{{payload}}", contents.to_text()?),
    ] {
        page = page.replacen(placeholder, &text, 1);
    }
    Ok(page)
}

/// Returns the content security policy: scripts and style sheets by hash, images from the page only, and no connection
/// except to the server that delivers the page.
fn policy(app: &str, delivery: Delivery) -> String {
    let connections = if delivery == Delivery::Served { " connect-src 'self';" } else { "" };
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
