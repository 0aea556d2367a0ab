//! Athena, over the curated tickets in S3.

use std::path::Path;

use anyhow::{Result, bail};
use aws::Session;
use cli_support::exit::UsageError;
use manifest::{CuratedManifest, Manifest};
use ticket_schema::Timestamp;
use ticket_schema::names::WORKGROUP;

use crate::run::{QueryEngine, QueryResult};
use kpi::as_of_rewrite::rewrite_as_of;
use kpi::query_cost::QueryCost;
use kpi::sql_text::pieces;

/// How a statement begins that only asks.
const QUESTIONS: [&str; 8] = ["SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "EXPLAIN", "("];

/// A way to ask Athena.
#[derive(Debug)]
pub struct Athena<'a> {
    session: &'a Session,
    as_of: Option<Timestamp>,
    manifest: Option<CuratedManifest>,
}

impl<'a> Athena<'a> {
    /// Asks as of `as_of`, or else as of what the manifest in the directory `data` says, or else as of now.
    pub fn open(session: &'a Session, data: &Path, as_of: Option<Timestamp>) -> Result<Self> {
        let manifest = CuratedManifest::load(data)?;
        let as_of = as_of.or(manifest.as_ref().and_then(|manifest| manifest.as_of));
        Ok(Self { session, as_of, manifest })
    }

    /// Asks as of a time, without a data set on this machine.
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
        let is_question = pieces(sql).next().is_some_and(|first| QUESTIONS.iter().any(|question| first.is(question)));
        if !is_question {
            bail!(UsageError(format!("only questions are asked, nothing that writes: expected SELECT …, not `{sql}`")));
        }
        let sql = self.as_of.map_or_else(|| Ok(sql.to_owned()), |as_of| pinned(sql, as_of))?;
        let executed = self.session.ask(WORKGROUP, &sql)?;
        Ok(QueryResult { answer: executed.answer, bill: Some(QueryCost::for_scan(executed.scanned_bytes)) })
    }
}
