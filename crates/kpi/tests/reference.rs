//! The reference page of the KPIs against the catalogue.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[test]
fn documentation_lists_every_kpi() {
    let page = include_str!("../../../docs/reference/kpis.md");
    for kpi in kpi::catalogue::kpis().unwrap() {
        let row = format!("| {} | `{}` |", kpi.number, kpi.name);
        assert!(page.contains(&row), "docs/reference/kpis.md has no row `{row}`");
    }
}
