//! Writes support tickets as JSON-Lines, reproducibly.
//!
//! Ticket `n` is a pure function of the world and `n`: [`World::tickets`] turns numbers into tickets, [`Renderer`](render::Renderer) turns a
//! ticket into bytes, and [`run_generate`] does both on many threads and publishes the files with their manifest.
//!
//! * [`world`]: ticket number in, ticket out; with [`draws`] (its randomness), [`weights`] (its shares) and
//!   [`life`] (how long a ticket takes and how far it has come).
//! * [`render`]: ticket in, JSON bytes out.
//! * [`truth`]: counts the answers that the KPI queries must give.
//! * [`layout`]: which tickets go into which file, and [`compression`]: in which form.
//! * [`produce`]: many threads, one order.
//! * [`options`]: how a person says all this on the command line.

pub mod compression;
pub mod draws;
pub mod layout;
pub mod life;
pub mod options;
pub mod produce;
pub mod render;
pub mod truth;
pub mod weights;
pub mod world;

mod calendar;
mod digits;
mod run;
mod tally;
mod turnstile;

pub use compression::Compression;
pub use options::GenerateOptions;
pub use run::{Config, Report, Target, run_generate};
pub use world::World;
