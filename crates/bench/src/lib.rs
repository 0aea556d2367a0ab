//! Benchmarks of `transform` and peer engines at one job: ticket JSON-Lines to Snappy Parquet, partitioned by market.
//! Measures wall time, CPU time, peak memory and output size.
//!
//! * [`run`]: the whole run: prepare, convert each number of tickets, measure the machine.
//! * [`job`]: one number of tickets, converted by all engines in interleaved rounds, with checked output.
//! * [`independent_processes`]: `transform` as several single-threaded processes that share only the machine.
//! * [`engines`]: the engines and their command lines.
//! * [`programs`]: the executables; [`python`]: the Python environment of the peers.
//! * [`measure`]: resource usage of a command.
//! * [`hardware_baseline`]: rates of copying, reading, checksumming, compressing and writing on this machine.
//! * [`machine`]: a description of the machine.
//! * [`statistics`]: medians, spreads and ratios of paired runs.
//! * [`report`]: the results as Markdown.
//!
//! ```
//! use bench::statistics::paired_ratio;
//!
//! // Wall times of a peer and of transform, in seconds, by round.
//! assert_eq!(paired_ratio(&[4.0, 8.0], &[2.0, 4.0]), 2.0);
//! ```

pub mod engines;
pub mod hardware_baseline;
pub mod independent_processes;
pub mod job;
pub mod machine;
pub mod measure;
pub mod programs;
pub mod python;
pub mod report;
pub mod run;
pub mod statistics;

pub use run::{Config, run_bench};
