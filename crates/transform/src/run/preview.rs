//! What a run would read and write, told without doing it.

use anyhow::Result;
use cli_support::human;

use crate::run::existing_dataset::{ExistingDataset, Mode};
use crate::run::{Config, Dedupe};
use crate::write::part_writer;
use jsonl::input::{Inputs, Source};

/// How many files are listed.
const MAX_SHOWN: usize = 20;

/// Describes the run for a person. Fails where the run would fail before it reads.
pub fn describe(config: &Config, inputs: &Inputs) -> Result<String> {
    let current = ExistingDataset::find(&config.output, inputs, config.mode)?;
    if !config.force {
        current.refuse_expected_repeats(&inputs.sources)?;
    }
    let output = config.output.display();
    let mut text = format!(
        "would read {}, {}\n",
        human::counted(inputs.sources.len() as u64, "input"),
        human::bytes(inputs.n_bytes())
    );
    inputs.sources.iter().take(MAX_SHOWN).for_each(|source| text += &input(source));
    if inputs.sources.len() > MAX_SHOWN {
        text += &format!("  … and {} more\n", human::count((inputs.sources.len() - MAX_SHOWN) as u64));
    }
    text += &match (&current.manifest, current.mode) {
        (None, _) => format!("would make a data set in {output}, where there is none\n"),
        (Some(there), Mode::Overwrite) => format!(
            "would replace the data set in {output}: {} in {}\n",
            human::counted(there.rows.written, "ticket"),
            human::counted(there.files.len() as u64, "file")
        ),
        (Some(there), Mode::Append) => format!(
            "would add to the data set in {output}: {} in {} stay\n",
            human::counted(there.rows.written, "ticket"),
            human::counted(there.files.len() as u64, "file")
        ),
    };
    if current.is_reprocess {
        text += "would take back its quarantine\n";
    }
    if config.dedupe == Dedupe::Latest {
        text += "would keep the latest state of each ticket\n";
    }
    text += &files(inputs, &current);
    Ok(text)
}

fn input(source: &Source) -> String {
    let size = source.n_bytes().map_or_else(|| "of unknown length".to_owned(), human::bytes);
    let rows = source.expected.as_ref().map(|file| format!(", {}", human::counted(file.rows, "row")));
    format!("  {} ({size}{})\n", source.shown(), rows.unwrap_or_default())
}

/// Known beforehand only if a manifest tells of the markets.
fn files(inputs: &Inputs, current: &ExistingDataset) -> String {
    let Some(manifest) = &inputs.manifest else {
        return "would write a partition for each market that is found\n".to_owned();
    };
    let first = current.first_parts();
    let mut text = "would write\n".to_owned();
    for (market, rows) in manifest.markets.iter().filter(|(_, rows)| **rows > 0) {
        let Some(market) = crate::decode::Market::from_text(market) else { continue };
        let number = first.get(&market).copied().unwrap_or(0);
        text += &format!("  {} ({})\n", part_writer::name(market, number), human::counted(*rows, "row"));
    }
    text
}
