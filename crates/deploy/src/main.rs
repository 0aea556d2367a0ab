//! `deploy`: puts the data lake on AWS, shows what that would change, proves it, and takes it down again.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use aws::{AwsArguments, Settings};
use clap::{Args, Parser, Subcommand, ValueEnum};
use cli_support::exit::UsageError;
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome};
use deploy::definitions::quicksight::owner_arn;
use deploy::definitions::scope::Scope;
use deploy::run::{Config, Curate, Destroy, Format, run_deploy, run_destroy, run_plan, run_status, run_verify};

/// Put the data lake on AWS: one plan for data and infrastructure
///
/// Without a command: makes the plan, carries it out, and proves the result by asking Athena the KPIs. Buckets, workgroup,
/// tables and view become what infra/ says; objects are compared by content (size and CRC-64/NVME), never by time, so a second
/// run sends nothing. An interrupted run goes on where it stopped.
#[allow(clippy::doc_markdown, reason = "these comments are the help text")]
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = false)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    data: DataArguments,

    #[command(flatten)]
    verbosity: Verbosity,

    #[command(flatten)]
    aws: AwsArguments,
}

#[allow(clippy::doc_markdown, reason = "these comments are the help text")]
#[derive(Clone, Debug, Args)]
struct DataArguments {
    /// The raw tickets
    #[arg(long, value_name = "DIR", default_value = "data/raw", global = true)]
    raw: PathBuf,

    /// The curated tickets
    #[arg(long, value_name = "DIR", default_value = "data/curated", global = true)]
    curated: PathBuf,

    /// Look at this part only [default: all of them]
    #[arg(long, value_enum, value_name = "PART", global = true)]
    only: Option<Part>,

    /// Who makes the curated tickets; Athena is for raw tickets that are too many for this machine
    #[arg(long, value_enum, default_value_t, value_name = "WHO", global = true)]
    curate: Curate,

    /// Look after the dashboard on Amazon QuickSight too: its data source, its tickets in SPICE, its visuals
    #[arg(long, global = true)]
    quicksight: bool,

    /// Whom that dashboard belongs to: a QuickSight user, or the ARN of a user or group [default: QUICKSIGHT_USER]
    #[arg(long, value_name = "NAME", global = true)]
    quicksight_user: Option<String>,

    /// How to show plan, status and proof
    #[arg(long, value_enum, default_value_t, global = true)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The three buckets and their settings
    Buckets,
    /// The objects in them
    Data,
    /// Athena's workgroup; database, tables, view and partitions
    Catalog,
}

#[allow(clippy::doc_markdown, reason = "these comments are the help text")]
#[derive(Debug, Subcommand)]
enum Command {
    /// Show what would be done, and what a month will cost; changes nothing
    Plan {
        /// End with 2 if there is anything to do
        #[arg(long)]
        detailed_exitcode: bool,
    },
    /// Show whether everything is as wanted, setting by setting; changes nothing
    Status {
        /// End with 2 if anything is not as wanted
        #[arg(long)]
        detailed_exitcode: bool,
    },
    /// Ask Athena for the tickets per market and the KPIs, and compare with the manifest's expected answers
    Verify,
    /// Delete what deploy has made; whatever is not its own stays
    Destroy {
        /// Don't ask for confirmation
        #[arg(long)]
        yes: bool,
        /// Only show what would be deleted
        #[arg(long, conflicts_with = "yes")]
        dry_run: bool,
    },
    /// Print the IAM policy that allows what deploy does, and no more
    Policy,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli_support::messages::after_interrupt("run it again, it goes on where it stopped");
    let mut detailed = false;
    let code = cli_support::run(|| {
        let settings = Settings::resolve(&arguments.aws, |name| std::env::var(name).ok(), Path::new(".env"))?;
        let messages = Messages::new(arguments.verbosity);
        let data = &arguments.data;
        let is_in_parts = matches!(arguments.command, None | Some(Command::Plan { .. } | Command::Status { .. }));
        if data.only.is_some() && (!is_in_parts || data.quicksight) {
            let text = "--only goes with deploy, plan and status, and not with --quicksight; the others know no parts";
            bail!(UsageError(text.to_owned()));
        }
        let is_destroy = matches!(arguments.command, Some(Command::Destroy { .. }));
        if data.quicksight && !is_in_parts && !is_destroy {
            bail!(UsageError("--quicksight goes with deploy, plan, status and destroy".to_owned()));
        }
        let config = Config {
            dashboard_owner: if is_in_parts { dashboard_owner(data, &settings)? } else { None },
            settings,
            raw: arguments.data.raw,
            curated: arguments.data.curated,
            parts: parts(arguments.data.only),
            format: arguments.data.format,
            curate: arguments.data.curate,
        };
        let mut out = io::stdout().lock();
        match arguments.command {
            None => run_deploy(&config, &mut out, &messages),
            Some(Command::Plan { detailed_exitcode }) => {
                detailed = run_plan(&config, &mut out, &messages)? && detailed_exitcode;
                Ok(Outcome::Done)
            }
            Some(Command::Status { detailed_exitcode }) => {
                detailed = run_status(&config, &mut out, &messages)? && detailed_exitcode;
                Ok(Outcome::Done)
            }
            Some(Command::Verify) => run_verify(&config, &mut out, &messages),
            Some(Command::Destroy { yes, dry_run }) => {
                let with_quicksight = arguments.data.quicksight;
                let how = Destroy { is_confirmed: yes, is_dry_run: dry_run, with_quicksight };
                run_destroy(&config.settings, how, &mut io::stdin().lock(), &mut out, &messages)
            }
            Some(Command::Policy) => {
                let policy = deploy::definitions::iam_policy(&config.settings.account_id, &config.settings.region);
                io::Write::write_all(&mut out, policy.as_bytes())?;
                Ok(Outcome::Done)
            }
        }
    });
    if detailed { ExitCode::from(2) } else { code }
}

/// QuickSight is looked at if `--quicksight` says so, and then belongs to somebody.
fn dashboard_owner(data: &DataArguments, settings: &Settings) -> Result<Option<String>> {
    if !data.quicksight {
        if data.quicksight_user.is_some() {
            bail!(UsageError("--quicksight-user goes with --quicksight".to_owned()));
        }
        return Ok(None);
    }
    let Some(user) = data.quicksight_user.as_ref().or(settings.quicksight_user.as_ref()) else {
        bail!(UsageError(format!(
            "whom does the dashboard belong to? Name a user of QuickSight with --quicksight-user or QUICKSIGHT_USER; `aws \
             quicksight list-users --aws-account-id {} --namespace default` lists them",
            settings.account_id
        )));
    };
    if user.is_empty() || user.contains(|c: char| c.is_whitespace() || c.is_control()) {
        bail!(UsageError(format!("`{user}` is no user of QuickSight: expected a name such as ada, or an ARN")));
    }
    Ok(Some(owner_arn(user, &settings.account_id, &settings.region)))
}

const fn parts(only: Option<Part>) -> Scope {
    match only {
        None => Scope::ALL,
        Some(Part::Buckets) => Scope { buckets: true, data: false, catalog: false },
        Some(Part::Data) => Scope { buckets: false, data: true, catalog: false },
        Some(Part::Catalog) => Scope { buckets: false, data: false, catalog: true },
    }
}
