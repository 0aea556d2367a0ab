//! Puts the data lake on AWS: one plan for data and infrastructure.
//!
//! What is wanted ([`desired`], from [`definitions`] in `infra/` and the manifests of the data sets) and what is there
//! ([`actual`]) go into a pure function ([`mod@plan`]), whose result is shown ([`show`]) and carried out ([`apply`]). Taking
//! everything down again is a plan of its own ([`destroy`]).
//!
//! * [`definitions`]: buckets, workgroup and catalogue as `infra/` has them; [`ddl`] reads the table definitions.
//! * [`view`]: whether a view in the catalogue is the wanted one.
//! * [`curate`]: Athena makes the curated tickets; [`curation`] is what it is asked, [`curated`] what comes of its answers.
//! * [`verify`]: the proof, by counts and KPIs that Athena answers; [`cost`]: what that and everything else costs.
//! * [`quicksight`]: the dashboard there, made of `infra/quicksight` once the lake is proved.
//! * [`run`]: the commands.

pub mod actual;
pub mod apply;
pub mod cost;
pub mod curate;
pub mod curated;
pub mod curation;
pub mod ddl;
pub mod definitions;
pub mod desired;
pub mod destroy;
mod differences;
pub mod plan;
pub mod quicksight;
pub mod run;
pub mod show;
pub mod verify;
pub mod view;
