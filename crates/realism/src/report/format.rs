//! Rendering of a report as terminal tables, JSON or Markdown.

use anyhow::Result;
use cli_support::human::{count, counted};
use comfy_table::{CellAlignment, Table, presets};

use crate::report::{Expected, Profile, ProfileEntry, Repeats, Report, RuleResult, Score, Scores, TicketsPerEntity};

/// Output format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Tables for a terminal
    #[default]
    Table,
    /// JSON object with every figure
    Json,
    /// Markdown tables
    Markdown,
}

/// Renders a report.
///
/// # Errors
///
/// Fails if the report cannot be serialised, for example because a figure is not finite.
pub fn render(format: Format, report: &Report) -> Result<String> {
    if format == Format::Json {
        return Ok(serde_json::to_string_pretty(report)? + "\n");
    }
    let sections = sections(report);
    let blocks =
        sections.iter().map(|section| if format == Format::Table { section.table() } else { section.markdown() });
    let mark = if format == Format::Table { "" } else { "# " };
    let body = blocks.collect::<Vec<_>>().join("\n");
    Ok(format!(
        "{mark}Realism of {}\n\n{}\n\n{body}\n{}\n",
        escape_controls(&report.data),
        heading(report),
        verdict(report)
    ))
}

fn heading(report: &Report) -> String {
    format!(
        "{} of {} are tickets, created since {}, as of {}. Profile: {}. Reference: {}.",
        count(report.n_tickets),
        counted(report.n_lines, "line"),
        report.start,
        report.as_of,
        escape_controls(&report.profile),
        escape_controls(&report.reference),
    )
}

fn verdict(report: &Report) -> String {
    let violated = report.rules.iter().filter(|rule| !rule.passed).map(violated_rule);
    let below = report.below_target();
    let result = match (report.passed, below.len()) {
        (true, _) => "Passed: all rules are satisfied and all targets are reached.".to_owned(),
        (false, 0) => "Failed: the tickets could not be compared.".to_owned(),
        (false, n) => format!("Failed: {n} below target: {}.", below.join(", ")),
    };
    violated.chain([result]).collect::<Vec<_>>().join("\n")
}

fn violated_rule(rule: &RuleResult) -> String {
    let first = rule.first.as_ref().map_or_else(String::new, |first| format!("; first at {}", escape_controls(first)));
    format!("{}: {} of {} violate the rule{first}", rule.name, count(rule.n_broken), count(rule.n_checked))
}

/// A titled table.
struct Section {
    title: &'static str,
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// Index of the first numeric column.
    numbers_from: usize,
}

fn sections(report: &Report) -> Vec<Section> {
    let mut sections = vec![rules(&report.rules)];
    if let Some(scores) = &report.scores {
        sections.extend([
            score_section("Column distributions", &scores.columns),
            score_section("Joint distributions of column pairs", &scores.pairs),
        ]);
        sections.extend((!scores.chi_squares.is_empty()).then(|| chi_squares(scores)));
        sections.extend([plausibility(scores), repeats(&scores.repeats)]);
        sections.extend(scores.profiles.iter().map(profile));
    }
    sections
}

fn rules(rules: &[RuleResult]) -> Section {
    let row = |rule: &RuleResult| {
        vec![mark(rule.passed), rule.name.to_owned(), rule.description.to_owned(), compliance(rule.share)]
    };
    Section {
        title: "Rules",
        header: vec!["", "rule", "definition", "satisfied"],
        rows: rules.iter().map(row).collect(),
        numbers_from: 3,
    }
}

fn score_section(title: &'static str, scores: &[Score]) -> Section {
    let row = |score: &Score| {
        vec![
            mark(score.passed),
            score.name.clone(),
            score.comparison.to_owned(),
            share(score.score),
            share(score.target),
            score.expected.map_or_else(String::new, expected),
        ]
    };
    let header = vec!["", "column", "compared", "score", "target", "reference worlds"];
    Section { title, header, rows: scores.iter().map(row).collect(), numbers_from: 3 }
}

fn chi_squares(scores: &Scores) -> Section {
    let rows = scores.chi_squares.iter().map(|test| {
        let statistic = test.statistic.map_or_else(|| "infinite".to_owned(), |statistic| format!("{statistic:.2}"));
        let p = if test.p < 0.0001 { format!("{:.1e}", test.p) } else { share(test.p) };
        vec![
            mark(test.passed),
            test.name.to_owned(),
            statistic,
            test.degrees.to_string(),
            p,
            format!("> {}", test.target),
        ]
    });
    Section {
        title: "Chi-square against the profile's weights",
        header: vec!["", "column", "statistic", "degrees of freedom", "p", "target"],
        rows: rows.collect(),
        numbers_from: 2,
    }
}

fn plausibility(scores: &Scores) -> Section {
    let rows = scores.plausibility.iter().map(|metric| {
        let (value, target, reference) = (share(metric.value), share(metric.target), share(metric.reference));
        vec![mark(metric.passed), metric.name.to_owned(), metric.description.to_owned(), value, target, reference]
    });
    Section {
        title: "Plausibility metrics",
        header: vec!["", "metric", "definition", "value", "target", "reference"],
        rows: rows.collect(),
        numbers_from: 3,
    }
}

fn repeats(repeats: &[Repeats]) -> Section {
    let figures = |name: String, found: TicketsPerEntity| {
        vec![name, count(found.n), format!("{:.3}", found.mean), share(found.share_repeated), found.max.to_string()]
    };
    let rows = repeats.iter().flat_map(|both| {
        let name = format!("{}s", both.name);
        [figures(name.clone(), both.data), figures(name + " (reference)", both.reference)]
    });
    Section {
        title: "Tickets per car and customer",
        header: vec!["", "number", "mean tickets", "share with several", "maximum"],
        rows: rows.collect(),
        numbers_from: 1,
    }
}

fn profile(profile: &Profile) -> Section {
    /// Share represented by one block of the bar.
    const BLOCK: f64 = 0.01;
    let row = |entry: &ProfileEntry| {
        let bar = "█".repeat((entry.share / BLOCK).round() as usize);
        vec![entry.label.clone(), bar, share(entry.share), share(entry.reference)]
    };
    Section {
        title: if profile.name == "hour" { "Local hours" } else { "Local weekdays" },
        header: vec![profile.name, "", "share", "reference"],
        rows: profile.entries.iter().map(row).collect(),
        numbers_from: 2,
    }
}

impl Section {
    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_BORDERS_ONLY).set_header(&self.header);
        table.add_rows(&self.rows);
        for column in table.column_iter_mut().skip(self.numbers_from) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        format!("{}\n{table}\n", self.title)
    }

    fn markdown(&self) -> String {
        let line = |fields: Vec<&str>| format!("| {} |\n", fields.join(" | "));
        let rule = (0..self.header.len()).map(|index| if index < self.numbers_from { "---" } else { "---:" });
        let rows = self.rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
        format!(
            "## {}\n\n{}{}{}",
            self.title,
            line(self.header.clone()),
            line(rule.collect()),
            rows.collect::<String>()
        )
    }
}

fn mark(passed: bool) -> String {
    if passed { "✓" } else { "✗" }.to_owned()
}

/// Formats the share of tickets that satisfy a rule, rounded down: 100 % means all.
fn compliance(share: f64) -> String {
    if share >= 1.0 { "100 %".to_owned() } else { format!("{:.4} %", (share * 1e6).floor() / 1e4) }
}

/// Formats a value rounded down, so that a value below its target never appears to reach it.
fn share(value: f64) -> String {
    // The binary value of 0.97 may be slightly below it.
    format!("{:.4}", (value * 1e4 + 1e-9).floor() / 1e4)
}

fn expected(expected: Expected) -> String {
    format!("{} ± {:.4}", share(expected.mean), expected.deviation)
}

/// Escapes control characters in external names, which could otherwise control the terminal.
fn escape_controls(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::{compliance, share};

    #[test]
    fn values_are_never_rounded_up() {
        assert_eq!([share(0.98999), share(0.97), share(1.0)], ["0.9899", "0.9700", "1.0000"]);
        assert_eq!([compliance(1.0), compliance(0.999_999_9), compliance(0.5)], ["100 %", "99.9999 %", "50.0000 %"]);
    }
}
