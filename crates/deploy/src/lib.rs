//! Deployment of the data lake to AWS: one plan for infrastructure, data and dashboard.
//!
//! Modules depend only on those above them in this list:
//!
//! * [`definitions`]: the desired state, from `infra/` and the manifests of the data sets.
//! * [`observe`]: the actual state on AWS, and its comparison with the definitions.
//! * [`mod@plan`]: the steps from actual to desired state, a pure function of both; [`plan::destroy`] plans the removal.
//! * [`render`]: a plan as text and as JSON.
//! * [`apply`]: execution of a plan.
//! * `athena_curation`: creation of the curated tickets by Athena, from raw tickets in S3.
//! * [`verify`]: verification of counts and KPIs on Athena; [`cost`]: the predicted cost.
//! * [`run`]: the commands.
//!
//! ```
//! use deploy::definitions::{Definitions, Role, bucket_name};
//!
//! # fn main() -> anyhow::Result<()> {
//! let definitions = Definitions::load("123456789012", "eu-central-1")?;
//! assert_eq!(definitions.buckets[0].name, bucket_name(Role::Raw, "123456789012"));
//! assert_eq!(definitions.catalog.tables[1].name, "tickets");
//! # Ok(())
//! # }
//! ```

pub mod apply;
mod athena_curation;
pub mod cost;
pub mod definitions;
pub mod observe;
pub mod plan;
pub mod render;
pub mod run;
pub mod verify;
