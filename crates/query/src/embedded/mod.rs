//! The embedded engine: DataFusion over a curated data set, with Athena's semantics.
//!
//! [`functions`] adds the functions of Athena that DataFusion lacks; [`convert`] turns Arrow record batches into answers.

pub mod convert;
pub mod functions;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use manifest::answer::Answer;
use manifest::{CuratedManifest, Manifest};
use ticket_schema::Timestamp;
use ticket_schema::columns::{PARTITION_COLUMN, arrow_types};
use ticket_schema::names::{CATALOG, DATABASE, TABLE, TICKETS_DIR};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use self::convert::to_answer;
use crate::engine::{QueryEngine, QueryResult};
use kpi::catalogue::view_definition;

/// Maximum length of a query, in bytes.
const MAX_QUERY_BYTES: usize = 1 << 15;

/// Stack size of the engine's threads, in bytes. DataFusion walks expressions recursively: `1+1+1…` of [`MAX_QUERY_BYTES`]
/// is 16,384 levels deep. Only the pages in use take memory.
const STACK_BYTES: usize = 512 << 20;

/// An embedded engine over one data set.
pub struct Engine {
    context: SessionContext,
    runtime: Runtime,
    as_of: Timestamp,
    manifest: Option<CuratedManifest>,
}

impl Engine {
    /// Opens the curated data set in the directory `data`. `current_timestamp` is `as_of`, else the time in the manifest.
    ///
    /// # Errors
    ///
    /// Fails if the directory has no tickets, or if neither `as_of` nor a manifest gives the time.
    pub fn open(data: &Path, as_of: Option<Timestamp>) -> Result<Self> {
        let manifest = CuratedManifest::load(data)?;
        let tickets = data.join(TICKETS_DIR);
        if !tickets.is_dir() {
            bail!(
                "no tickets in {}; run `generate` and then `transform --output {}` first, or name another --data",
                data.display(),
                data.display()
            );
        }
        let as_of = as_of.or(manifest.as_ref().and_then(|manifest| manifest.as_of)).with_context(|| {
            format!("{} has no manifest with the time to query as of; give it with --as-of", data.display())
        })?;
        let runtime = Builder::new_multi_thread()
            .thread_stack_size(STACK_BYTES)
            .build()
            .context("cannot start the query engine's threads")?;
        let context = SessionContext::new_with_config(session_config());
        functions::register(&context);
        context
            .register_table(TABLE, Arc::new(tickets_table(&tickets)?))
            .map_err(readable)
            .with_context(|| format!("cannot open {}", tickets.display()))?;
        let engine = Self { context, runtime, as_of, manifest };
        engine.run(&view_definition()?, SQLOptions::new()).context("infra/athena_ddl.sql, the view")?;
        Ok(engine)
    }

    /// Runs a query.
    ///
    /// # Errors
    ///
    /// Fails if the statement is longer than 32 KiB, is not a query (DDL, DML and session statements are rejected), or fails
    /// in the engine.
    pub fn query(&self, sql: &str) -> Result<Answer> {
        ensure!(
            sql.len() <= MAX_QUERY_BYTES,
            "the query is too long: {} bytes; the maximum is {MAX_QUERY_BYTES}",
            sql.len()
        );
        let only_queries = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        self.run(sql, only_queries)
    }

    /// Runs a statement on one of the engine's threads, which have large stacks.
    fn run(&self, sql: &str, allowed: SQLOptions) -> Result<Answer> {
        let statement = run_statement(self.context.clone(), sql.to_owned(), self.as_of, allowed);
        let (schema, batches) = self
            .runtime
            .block_on(self.runtime.spawn(statement))
            .context("the query engine has failed; this is a bug")?
            .map_err(readable)?;
        to_answer(&schema, &batches)
    }
}

impl QueryEngine for Engine {
    fn as_of(&self) -> Option<Timestamp> {
        Some(self.as_of)
    }

    fn manifest(&self) -> Option<&CuratedManifest> {
        self.manifest.as_ref()
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn answer(&self, sql: &str) -> Result<QueryResult> {
        Ok(QueryResult { answer: self.query(sql)?, cost: None })
    }
}

async fn run_statement(
    context: SessionContext,
    sql: String,
    as_of: Timestamp,
    allowed: SQLOptions,
) -> Result<(SchemaRef, Vec<RecordBatch>), DataFusionError> {
    let mut state = context.state();
    // SessionContext::sql would set this to the system clock.
    state.execution_props_mut().query_execution_start_time = Some(as_of.to_chrono());
    let plan = state.create_logical_plan(&sql).await?;
    allowed.verify_plan(&plan)?;
    let frame = match plan {
        LogicalPlan::Ddl(_) => context.execute_logical_plan(plan).await?,
        plan => DataFrame::new(state, plan),
    };
    let schema = Arc::clone(frame.schema().inner());
    Ok((schema, frame.collect().await?))
}

fn session_config() -> SessionConfig {
    SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, DATABASE)
        .with_information_schema(true)
        // Trino sorts NULL last in both directions.
        .set_str("datafusion.sql_parser.default_null_ordering", "nulls_last")
}

/// Returns the table over all partitions in `tickets`, with the columns of the Athena DDL.
fn tickets_table(tickets: &Path) -> Result<ListingTable> {
    let path = tickets.canonicalize().with_context(|| format!("cannot find {}", tickets.display()))?;
    let url = Url::from_directory_path(&path).map_err(|()| anyhow!("{} can't be a URL", path.display()))?;
    let options = ListingOptions::new(Arc::new(ParquetFormat::default()))
        .with_file_extension(".parquet")
        .with_table_partition_cols(vec![(PARTITION_COLUMN.to_owned(), DataType::Utf8)]);
    let config = ListingTableConfig::new(ListingTableUrl::try_new(url, None).map_err(readable)?)
        .with_listing_options(options)
        .with_schema(arrow_types::table_schema());
    ListingTable::try_new(config).map_err(readable)
}

/// Converts an error of the engine, without its backtrace.
#[allow(clippy::needless_pass_by_value, reason = "the signature that map_err needs")]
fn readable(error: DataFusionError) -> anyhow::Error {
    anyhow!("{}", error.strip_backtrace())
}
