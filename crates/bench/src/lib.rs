//! Our `transform` and its peers at one job, ticket JSON-Lines to Snappy Parquet partitioned by market: who takes how long, how
//! much of the processors and of memory, and how many bytes come out.
//!
//! * [`run`]: the whole run: prepare, convert each number of tickets, measure the machine.
//! * [`job`]: one number of tickets, converted by all by turns, and what they wrote checked.
//! * [`apart`]: what our transform takes as several programs that share nothing but the machine.
//! * [`contestants`]: who takes part and how each is called.
//! * [`programs`]: the programs that take part; [`python`]: the environment that the peers live in.
//! * [`measure`]: what a command took.
//! * [`ceilings`]: how fast this machine does what no contestant can go without.
//! * [`machine`]: what machine this is.
//! * [`statistics`]: medians, spreads and ratios of paired runs.
//! * [`report`]: all of that as Markdown.

pub mod apart;
pub mod ceilings;
pub mod contestants;
pub mod job;
pub mod machine;
pub mod measure;
pub mod programs;
pub mod python;
pub mod report;
pub mod run;
pub mod statistics;

pub use run::{Config, run_bench};
