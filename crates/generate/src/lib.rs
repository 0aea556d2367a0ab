//! Deterministic generator of support tickets as JSON Lines.
//!
//! Ticket `n` is a pure function of the world's parameters and `n`, so any range of tickets can be generated
//! independently, on any number of threads or machines, with the same bytes.
//!
//! * [`profile`]: the input numbers (weights, factors, medians), read from TOML.
//! * [`rng`]: random numbers addressed by ticket; distributions and samplers with identical results on every machine.
//! * [`world`]: ticket number in, ticket out: arrival, car, category, severity and lifecycle.
//! * [`render`]: ticket in, JSON line out.
//! * [`defects`]: injected errors, duplicates and late copies, and the file that lists them.
//! * [`expected_answers`]: the results that the KPI queries must return for these tickets.
//! * [`output`]: files and chunks, compression, and worker threads whose results are written in order.
//! * [`run_generate`]: one run of the tool, from a [`Config`] to a published data set with its manifest.
//!
//! # Example
//!
//! Three tickets as JSON lines:
//!
//! ```
//! use generate::World;
//! use generate::render::Renderer;
//! use manifest::WorldParameters;
//!
//! // Seed 42, as of 22 November 2026, 5,000 tickets in the 90 days before.
//! let parameters = WorldParameters::new(42, "2026-11-22".parse()?, 90, 5000);
//! let renderer = Renderer::new(parameters.world_start, parameters.as_of);
//! let world = World::new(parameters)?;
//!
//! let lines: Vec<u8> = world.tickets(0..3).flat_map(|ticket| renderer.line(&ticket)).collect();
//! let text = String::from_utf8(lines)?;
//! print!("{text}");
//! assert_eq!(text.lines().count(), 3);
//! assert!(text.starts_with(r#"{"ticket_id":""#));
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod defects;
pub mod expected_answers;
pub mod options;
pub mod output;
pub mod profile;
pub mod render;
pub mod rng;
pub mod world;

mod run;

pub use options::GenerateOptions;
pub use output::compression::Compression;
pub use profile::Profile;
pub use run::{Config, Report, Target, run_generate};
pub use world::World;
