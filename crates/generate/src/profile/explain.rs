//! Listing of a profile's parameters with their sources, for `--explain`.

use anyhow::Result;
use toml::{Table, Value};

use super::{DEFAULT, Profile};

/// Returns a text with every parameter's value, basis (contract, sourced or guess), source and year.
///
/// # Errors
///
/// Fails if a profile is not valid TOML.
pub fn explain(profile: &Profile) -> Result<String> {
    let mut sections: Table = toml::from_str(DEFAULT)?;
    let own: Table = toml::from_str(&profile.text)?;
    let mut text = format!("profile {}\n", profile.reference.name);
    for (name, section) in &own {
        sections.insert(name.clone(), section.clone());
    }
    for (name, section) in &sections {
        let from = if own.contains_key(name) { &profile.reference.name } else { "default" };
        explain_section(name, section, from, &mut text);
    }
    Ok(text)
}

/// Appends a section, or a table of sections such as `market_series`.
fn explain_section(path: &str, section: &Value, profile: &str, text: &mut String) {
    let Some(table) = section.as_table() else { return };
    let is_group = !table.contains_key("about") && table.values().all(|value| value.get("about").is_some());
    if is_group {
        for (name, section) in table {
            explain_section(&format!("{path}.{name}"), section, profile, text);
        }
        return;
    }
    *text += &format!("\n{path}: {}\n", provenance(table.get("about"), profile));
    for (name, value) in table.iter().filter(|(name, _)| *name != "about") {
        explain_value(&format!("{path}.{name}"), value, text);
    }
}

fn explain_value(path: &str, value: &Value, text: &mut String) {
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                explain_value(&format!("{path}.{name}"), value, text);
            }
        }
        value => *text += &format!("  {path} = {value}\n"),
    }
}

/// Formats `sourced, bmwblog, 2024`.
fn provenance(about: Option<&Value>, profile: &str) -> String {
    let field = |name: &str| about.and_then(|about| about.get(name));
    let basis = field("basis").and_then(Value::as_str).unwrap_or("no basis given");
    let source = field("source").and_then(Value::as_str).unwrap_or("no source given");
    let year = field("year").map_or_else(String::new, |year| format!(", {year}"));
    format!("{basis} ({source}{year}) [{profile}]")
}
