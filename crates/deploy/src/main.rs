//! `deploy`: plans, creates, verifies and destroys the data lake on AWS.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use aws::athena::StatementError;
use aws::{AwsArguments, AwsError, Kind, Settings};
use clap::{Args, Parser, Subcommand, ValueEnum};
use cli_support::exit::UsageError;
use cli_support::messages::Verbosity;
use cli_support::{Messages, Outcome};
use deploy::definitions::quicksight::owner_arn;
use deploy::definitions::scope::Scope;
use deploy::run::{Config, Curate, Destroy, Format, run_deploy, run_destroy, run_plan, run_status, run_verify};

/// Deploy the data lake to AWS with one plan for infrastructure and data
///
/// Without a command: makes a plan, applies it, and verifies the KPIs on Athena. Buckets, workgroup, tables and view are
/// brought in sync with infra/. Objects are compared by content (size and CRC-64/NVME), never by time, so a second run
/// uploads nothing. After an interrupt, run it again; it continues where it stopped.
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
    /// Directory of the raw tickets
    #[arg(long, value_name = "DIR", default_value = "data/raw", global = true)]
    raw: PathBuf,

    /// Directory of the curated tickets
    #[arg(long, value_name = "DIR", default_value = "data/curated", global = true)]
    curated: PathBuf,

    /// Limit the command to one part of the lake [default: all parts]
    #[arg(long, value_enum, value_name = "PART", global = true)]
    only: Option<Part>,

    /// Engine that makes the curated tickets; use athena if the raw tickets don't fit on this machine
    #[arg(long, value_enum, default_value_t, value_name = "ENGINE", global = true)]
    curate: Curate,

    /// Manage the dashboard on Amazon QuickSight, too: data source, data set in SPICE, visuals
    #[arg(long, global = true)]
    quicksight: bool,

    /// Owner of the dashboard: name of a QuickSight user, or ARN of a user or group [default: QUICKSIGHT_USER]
    #[arg(long, value_name = "NAME", global = true)]
    quicksight_user: Option<String>,

    /// Output format of plan, status and verification
    #[arg(long, value_enum, default_value_t, global = true)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The three buckets and their settings
    Buckets,
    /// The objects in the buckets
    Data,
    /// Workgroup, database, tables, view and partitions
    Catalog,
}

#[allow(clippy::doc_markdown, reason = "these comments are the help text")]
#[derive(Debug, Subcommand)]
enum Command {
    /// Show the changes that deploy would make, and the monthly cost, without changing anything
    Plan {
        /// Exit with code 2 if there are changes
        #[arg(long)]
        detailed_exitcode: bool,
    },
    /// Show the status of every resource, setting by setting, without changing anything
    Status {
        /// Exit with code 2 if any resource is not in sync
        #[arg(long)]
        detailed_exitcode: bool,
    },
    /// Query the tickets per market and the KPIs on Athena, and compare them with the expected answers of the manifest
    Verify,
    /// Delete all resources that deploy has created; unmanaged resources are kept
    Destroy {
        /// Skip the confirmation
        #[arg(long)]
        yes: bool,
        /// Show what would be deleted, without deleting anything
        #[arg(long, conflicts_with = "yes")]
        dry_run: bool,
    },
    /// Print the least-privilege IAM policy for deploy
    Policy,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli_support::messages::after_interrupt("run it again; it continues where it stopped");
    let mut has_changes = false;
    let code = cli_support::run(|| execute(arguments, &mut has_changes).map_err(with_policy_help));
    if has_changes { ExitCode::from(2) } else { code }
}

/// Runs the command. Sets `has_changes` if the exit code must report changes.
fn execute(arguments: Arguments, has_changes: &mut bool) -> Result<Outcome> {
    let settings = Settings::resolve(&arguments.aws, |name| std::env::var(name).ok(), Path::new(".env"))?;
    let messages = Messages::new(arguments.verbosity);
    let data = &arguments.data;
    let has_scope = matches!(arguments.command, None | Some(Command::Plan { .. } | Command::Status { .. }));
    if data.only.is_some() && (!has_scope || data.quicksight) {
        let text = "--only applies to deploy, plan and status, and can't be combined with --quicksight";
        bail!(UsageError(text.to_owned()));
    }
    let is_destroy = matches!(arguments.command, Some(Command::Destroy { .. }));
    if data.quicksight && !has_scope && !is_destroy {
        bail!(UsageError("--quicksight applies to deploy, plan, status and destroy".to_owned()));
    }
    let config = Config {
        dashboard_owner: if has_scope { dashboard_owner(data, &settings)? } else { None },
        settings,
        raw: arguments.data.raw,
        curated: arguments.data.curated,
        scope: scope(arguments.data.only),
        format: arguments.data.format,
        curate: arguments.data.curate,
    };
    let mut out = io::stdout().lock();
    match arguments.command {
        None => run_deploy(&config, &mut out, &messages),
        Some(Command::Plan { detailed_exitcode }) => {
            *has_changes = run_plan(&config, &mut out, &messages)? && detailed_exitcode;
            Ok(Outcome::Done)
        }
        Some(Command::Status { detailed_exitcode }) => {
            *has_changes = run_status(&config, &mut out, &messages)? && detailed_exitcode;
            Ok(Outcome::Done)
        }
        Some(Command::Verify) => run_verify(&config, &mut out, &messages),
        Some(Command::Destroy { yes, dry_run }) => {
            let with_quicksight = arguments.data.quicksight;
            let options = Destroy { is_confirmed: yes, is_dry_run: dry_run, with_quicksight };
            run_destroy(&config.settings, options, &mut io::stdin().lock(), &mut out, &messages)
        }
        Some(Command::Policy) => {
            let policy = deploy::definitions::iam_policy(&config.settings.account_id, &config.settings.region);
            io::Write::write_all(&mut out, policy.as_bytes())?;
            Ok(Outcome::Done)
        }
    }
}

/// Adds the help for missing permissions to an error that they have caused.
fn with_policy_help(error: anyhow::Error) -> anyhow::Error {
    let is_denied = error.downcast_ref::<AwsError>().is_some_and(|error| error.kind == Kind::Denied)
        || error.downcast_ref::<StatementError>().is_some_and(StatementError::is_denied);
    if is_denied {
        anyhow!("{error:#}\n  help: `deploy policy` prints an IAM policy that allows all operations of deploy")
    } else {
        error
    }
}

/// Returns the ARN of the owner of the dashboard; `None` without `--quicksight`.
fn dashboard_owner(data: &DataArguments, settings: &Settings) -> Result<Option<String>> {
    if !data.quicksight {
        if data.quicksight_user.is_some() {
            bail!(UsageError("--quicksight-user requires --quicksight".to_owned()));
        }
        return Ok(None);
    }
    let Some(user) = data.quicksight_user.as_ref().or(settings.quicksight_user.as_ref()) else {
        bail!(UsageError(format!(
            "the owner of the dashboard is missing: set a QuickSight user with --quicksight-user or QUICKSIGHT_USER; `aws \
             quicksight list-users --aws-account-id {} --namespace default` lists the users",
            settings.account_id
        )));
    };
    if user.is_empty() || user.contains(|c: char| c.is_whitespace() || c.is_control()) {
        bail!(UsageError(format!("`{user}` is not a QuickSight user: expected a name such as ada, or an ARN")));
    }
    Ok(Some(owner_arn(user, &settings.account_id, &settings.region)))
}

const fn scope(only: Option<Part>) -> Scope {
    match only {
        None => Scope::ALL,
        Some(Part::Buckets) => Scope { buckets: true, data: false, catalog: false },
        Some(Part::Data) => Scope { buckets: false, data: true, catalog: false },
        Some(Part::Catalog) => Scope { buckets: false, data: false, catalog: true },
    }
}
