//! Previews of runs for `--dry-run`: the inputs that would be read and the files that would be written.

use anyhow::Result;
use cli_support::human;
use jsonl::input::{Inputs, Source};

use crate::run::existing_dataset::{ExistingDataset, Mode};
use crate::run::{Config, Dedupe};
use crate::write::part_writer::part_path;

/// The maximum number of listed inputs.
const MAX_SHOWN: usize = 20;

/// Returns a text that describes the run.
///
/// # Errors
///
/// Fails where the run would fail before it reads its inputs.
pub fn describe(config: &Config, inputs: &Inputs) -> Result<String> {
    let existing = ExistingDataset::find(&config.output, inputs, config.mode)?;
    if !config.force {
        existing.reject_expected_repeats(&inputs.sources)?;
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
    text += &match (&existing.manifest, existing.mode) {
        (None, _) => format!("would create a data set in {output}\n"),
        (Some(manifest), Mode::Overwrite) => format!(
            "would replace the data set in {output}: {} in {}\n",
            human::counted(manifest.rows.written, "ticket"),
            human::counted(manifest.files.len() as u64, "file")
        ),
        (Some(manifest), Mode::Append) => format!(
            "would append to the data set in {output}: {} in {} are kept\n",
            human::counted(manifest.rows.written, "ticket"),
            human::counted(manifest.files.len() as u64, "file")
        ),
    };
    if existing.is_reprocess {
        text += "would reprocess its quarantine\n";
    }
    if config.dedupe == Dedupe::Latest {
        text += "would keep the latest state of each ticket\n";
    }
    text += &files(inputs, &existing);
    Ok(text)
}

fn input(source: &Source) -> String {
    let size = source.n_bytes().map_or_else(|| "unknown size".to_owned(), human::bytes);
    let rows = source.expected.as_ref().map(|file| format!(", {}", human::counted(file.rows, "row")));
    format!("  {} ({size}{})\n", source.display_name(), rows.unwrap_or_default())
}

/// Lists the files of each market. They are known before the run only if the input has a manifest.
fn files(inputs: &Inputs, existing: &ExistingDataset) -> String {
    let Some(manifest) = &inputs.manifest else {
        return "would write a partition for each market in the input\n".to_owned();
    };
    let first = existing.next_part_numbers();
    let mut text = "would write\n".to_owned();
    for (market, rows) in manifest.markets.iter().filter(|(_, rows)| **rows > 0) {
        let Some(market) = crate::rows::row::Market::from_text(market) else { continue };
        let number = first.get(&market).copied().unwrap_or(0);
        text += &format!("  {} ({})\n", part_path(market, number), human::counted(*rows, "row"));
    }
    text
}
