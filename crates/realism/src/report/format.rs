//! A card as tables for people, JSON or Markdown.

use anyhow::Result;
use cli_support::human::{count, counted};
use comfy_table::{CellAlignment, Table, presets};

use crate::card::{Card, Expected, Profile, ProfileEntry, Repeats, RuleResult, Score, Scores, TicketsEach};

/// How a card is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// One object with every figure
    Json,
    /// Markdown tables
    Markdown,
}

/// A card as a text.
pub fn render(format: Format, card: &Card) -> Result<String> {
    if format == Format::Json {
        return Ok(serde_json::to_string_pretty(card)? + "\n");
    }
    let sections = sections(card);
    let blocks =
        sections.iter().map(|section| if format == Format::Table { section.table() } else { section.markdown() });
    let mark = if format == Format::Table { "" } else { "# " };
    let body = blocks.collect::<Vec<_>>().join("\n");
    Ok(format!("{mark}Realism of {}\n\n{}\n\n{body}\n{}\n", shown(&card.data), heading(card), verdict(card)))
}

fn heading(card: &Card) -> String {
    format!(
        "{} of {} are tickets, opened from {} on, as of {}. Profile: {}. Compared with {}.",
        count(card.n_tickets),
        counted(card.n_lines, "line"),
        card.start,
        card.as_of,
        shown(&card.profile),
        shown(&card.reference),
    )
}

fn verdict(card: &Card) -> String {
    let broken = card.rules.iter().filter(|rule| !rule.passed).map(broken_rule);
    let below = card.below_target();
    let result = match (card.passed, below.len()) {
        (true, _) => "Passed: every rule holds, and nothing is below its target.".to_owned(),
        (false, 0) => "Not passed: the tickets could not be compared.".to_owned(),
        (false, n) => format!("Not passed: {n} below target: {}.", below.join(", ")),
    };
    broken.chain([result]).collect::<Vec<_>>().join("\n")
}

fn broken_rule(rule: &RuleResult) -> String {
    let first = rule.first.as_ref().map_or_else(String::new, |first| format!("; the first is {}", shown(first)));
    format!("{} is broken by {} of {}{first}", rule.name, count(rule.n_broken), count(rule.n_asked))
}

/// A title and a table.
struct Section {
    title: &'static str,
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// From which column on there are numbers.
    numbers_from: usize,
}

fn sections(card: &Card) -> Vec<Section> {
    let mut sections = vec![rules(&card.rules)];
    if let Some(scores) = &card.scores {
        sections.extend([
            score_section("Shape of each column", &scores.columns),
            score_section("Pairs of columns", &scores.pairs),
        ]);
        sections.extend((!scores.chi_squares.is_empty()).then(|| chi_squares(scores)));
        sections.extend([signs(scores), repeats(&scores.repeats)]);
        sections.extend(scores.profiles.iter().map(profile));
    }
    sections
}

fn rules(rules: &[RuleResult]) -> Section {
    let row =
        |rule: &RuleResult| vec![mark(rule.passed), rule.name.to_owned(), rule.meaning.to_owned(), kept(rule.share)];
    Section {
        title: "Rules",
        header: vec!["", "rule", "says", "kept by"],
        rows: rules.iter().map(row).collect(),
        numbers_from: 3,
    }
}

fn score_section(title: &'static str, scores: &[Score]) -> Section {
    let row = |score: &Score| {
        vec![
            mark(score.passed),
            score.name.clone(),
            score.what.to_owned(),
            share(score.score),
            share(score.target),
            score.expected.map_or_else(String::new, expected),
        ]
    };
    let header = vec!["", "column", "compared", "score", "target", "expected by chance"];
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
        header: vec!["", "column", "statistic", "degrees", "p", "target"],
        rows: rows.collect(),
        numbers_from: 2,
    }
}

fn signs(scores: &Scores) -> Section {
    let rows = scores.signs.iter().map(|sign| {
        let (value, target, reference) = (share(sign.value), share(sign.target), share(sign.reference));
        vec![mark(sign.passed), sign.name.to_owned(), sign.meaning.to_owned(), value, target, reference]
    });
    Section {
        title: "Signs of a believable world",
        header: vec!["", "sign", "says", "value", "target", "reference"],
        rows: rows.collect(),
        numbers_from: 3,
    }
}

fn repeats(repeats: &[Repeats]) -> Section {
    let figures = |name: String, found: TicketsEach| {
        vec![name, count(found.n), format!("{:.3}", found.mean), share(found.share_again), found.most.to_string()]
    };
    let rows = repeats.iter().flat_map(|both| {
        let name = format!("{}s", both.name);
        [figures(name.clone(), both.data), figures(name + " of the reference", both.reference)]
    });
    Section {
        title: "Cars and customers that come again",
        header: vec!["", "number", "tickets each", "share with several", "most"],
        rows: rows.collect(),
        numbers_from: 1,
    }
}

fn profile(profile: &Profile) -> Section {
    /// How much a block of the bar stands for.
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
        let rule = (0..self.header.len()).map(|place| if place < self.numbers_from { "---" } else { "---:" });
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

/// A share that keeps a rule. Never rounded up: 100 % means all.
fn kept(share: f64) -> String {
    if share >= 1.0 { "100 %".to_owned() } else { format!("{:.4} %", (share * 1e6).floor() / 1e4) }
}

/// Never rounded up, so that what is below its target doesn't look as if it had reached it.
fn share(value: f64) -> String {
    // What was meant to be 0.97 may be a little less in binary.
    format!("{:.4}", (value * 1e4 + 1e-9).floor() / 1e4)
}

fn expected(expected: Expected) -> String {
    format!("{} ± {:.4}", share(expected.mean), expected.deviation)
}

/// What names from outside say must not steer the terminal.
fn shown(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::{kept, share};

    #[test]
    fn figures_are_never_rounded_up() {
        assert_eq!([share(0.98999), share(0.97), share(1.0)], ["0.9899", "0.9700", "1.0000"]);
        assert_eq!([kept(1.0), kept(0.999_999_9), kept(0.5)], ["100 %", "99.9999 %", "50.0000 %"]);
    }
}
