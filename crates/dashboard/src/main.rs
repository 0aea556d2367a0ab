//! `dashboard`: writes or serves the dashboard page, and writes the QuickSight bundle.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use cli_support::exit::UsageError;
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome};
use dashboard::serve::Server;
use dashboard::{Config, browser, quicksight, run_dashboard};
use ticket_schema::Timestamp;

/// Write the dashboard as one HTML file, which opens in any browser and needs no network
///
/// The page contains counts and the list of open P1 tickets, and computes all numbers under any filter from them. The
/// numbers equal those of `query`.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Directory of the curated tickets
    #[arg(long, value_name = "DIR", default_value = "data/curated", global = true)]
    data: PathBuf,

    /// Output file [default: data/dashboard.html]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Value of `current_timestamp`, as 2026-11-22 or 2026-11-22T08:30:00Z [default: the manifest's]
    #[arg(long, value_name = "TIME", global = true)]
    as_of: Option<Timestamp>,

    /// Open the page in the default browser
    #[arg(long, global = true)]
    open: bool,

    #[command(flatten)]
    verbosity: Verbosity,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the page on the loopback interface, and refresh it when the data changes
    Serve {
        /// Port on 127.0.0.1; 0 picks a free one
        #[arg(long, value_name = "PORT", default_value_t = 8420)]
        port: u16,
    },
    /// Write the dashboard for Amazon QuickSight, as the API requests that create it
    Quicksight {
        /// Output directory of the three files
        #[arg(long, value_name = "DIR", default_value = "infra/quicksight")]
        directory: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli_support::run(|| dashboard(arguments))
}

fn dashboard(arguments: Arguments) -> anyhow::Result<Outcome> {
    let messages = Messages::new(arguments.verbosity);
    let config = Config { data: arguments.data, as_of: arguments.as_of };
    match (arguments.command, arguments.output) {
        (None, output) => {
            let output = output.as_deref().unwrap_or(Path::new("data/dashboard.html"));
            let written = run_dashboard(&config, output)?;
            messages.note(format!("dashboard: {} -> {}", written.summary(), output.display()));
            if arguments.open {
                browser::open_file(output, &messages);
            }
        }
        (Some(Command::Serve { .. } | Command::Quicksight { .. }), Some(_)) => {
            return Err(UsageError("`serve` and `quicksight` write no page; leave --output out".to_owned()).into());
        }
        (Some(Command::Quicksight { directory }), None) => {
            quicksight::write_bundle(&directory)?;
            messages.note(format!(
                "dashboard: QuickSight's data source, data set and dashboard -> {}",
                directory.display()
            ));
        }
        (Some(Command::Serve { port }), None) => {
            let server = Server::start(&config, port)?;
            messages.note(format!("dashboard: {} serves {}; stop with Ctrl-C", server.url(), config.data.display()));
            if arguments.open {
                browser::open(&server.url(), &messages);
            }
            server.run(&messages)?;
        }
    }
    Ok(Outcome::Done)
}
