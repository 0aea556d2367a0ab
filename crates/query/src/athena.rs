//! The Athena engine, over the curated tickets in S3.

use std::path::Path;

use anyhow::{Result, bail};
use aws::Session;
use cli_support::exit::UsageError;
use manifest::{CuratedManifest, Manifest};
use ticket_schema::Timestamp;
use ticket_schema::names::WORKGROUP;

use crate::engine::{QueryEngine, QueryResult};
use kpi::as_of_rewrite::rewrite_as_of;
use kpi::query_cost::QueryCost;
use kpi::sql_text::tokenize;

/// The first tokens of statements that only read.
const READ_ONLY_KEYWORDS: [&str; 8] = ["SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "EXPLAIN", "("];

/// A client of Athena, bound to an AWS session and a point in time.
#[derive(Debug)]
pub struct Athena<'a> {
    session: &'a Session,
    as_of: Option<Timestamp>,
    manifest: Option<CuratedManifest>,
}

impl<'a> Athena<'a> {
    /// Opens the engine. Queries run as of `as_of`, else of the time in the manifest in the directory `data`, else of now.
    ///
    /// # Errors
    ///
    /// Fails if the manifest exists and can't be read.
    pub fn open(session: &'a Session, data: &Path, as_of: Option<Timestamp>) -> Result<Self> {
        let manifest = CuratedManifest::load(data)?;
        let as_of = as_of.or(manifest.as_ref().and_then(|manifest| manifest.as_of));
        Ok(Self { session, as_of, manifest })
    }

    /// Returns an engine as of a time, without a local data set.
    pub const fn at(session: &'a Session, as_of: Option<Timestamp>) -> Self {
        Self { session, as_of, manifest: None }
    }
}

impl QueryEngine for Athena<'_> {
    fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    fn manifest(&self) -> Option<&CuratedManifest> {
        self.manifest.as_ref()
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn answer(&self, sql: &str) -> Result<QueryResult> {
        let is_query = tokenize(sql).next().is_some_and(|first| READ_ONLY_KEYWORDS.iter().any(|word| first.is(word)));
        if !is_query {
            bail!(UsageError(format!("only queries are allowed: expected SELECT …, found `{sql}`")));
        }
        let sql = self.as_of.map_or_else(|| Ok(sql.to_owned()), |as_of| rewrite_as_of(sql, as_of))?;
        let executed = self.session.query(WORKGROUP, &sql)?;
        Ok(QueryResult { answer: executed.answer, cost: Some(QueryCost::for_scan(executed.scanned_bytes)) })
    }
}
