//! Writes support tickets as JSON-Lines, reproducibly.
//!
//! Ticket `n` is a pure function of the world and `n`: [`World::tickets`] turns numbers into tickets,
//! [`Renderer`](render::Renderer) turns a ticket into bytes, and [`run_generate`] does both on many threads and publishes the
//! files with their manifest.
//!
//! * [`world`]: ticket number in, ticket out. It asks in turn [`arrivals`] (when and where, from the [`volume`] that the
//!   [`calendar`] and the [`waves`] let expect, with its [`spacing`]), [`fleet`] (which car), [`trouble`] (what is wrong with it) and [`life`] (what
//!   becomes of the ticket).
//! * [`profile`]: the numbers behind all this, as data; [`scenarios`]: what can happen out of the ordinary, and [`effects`]: how
//!   much that is.
//! * [`draws`], [`shares`], [`distributions`]: chance, the same on every machine.
//! * [`render`]: ticket in, JSON bytes out.
//! * [`defects`]: plants defects among the tickets, and knows where.
//! * [`truth`]: counts the answers that the KPI queries must give.
//! * [`layout`]: which tickets go into which file, and [`compression`]: in which form.
//! * [`produce`]: many threads, one order.
//! * [`options`]: how a person says all this on the command line.

pub mod arrivals;
pub mod calendar;
pub mod compression;
pub mod defects;
pub mod distributions;
pub mod draws;
pub mod effects;
pub mod fleet;
pub mod layout;
pub mod life;
pub mod options;
pub mod produce;
pub mod profile;
pub mod render;
pub mod scenarios;
pub mod shares;
pub mod spacing;
pub mod trouble;
pub mod truth;
pub mod volume;
pub mod waves;
pub mod world;

mod date_text;
mod digits;
mod run;
mod tally;

pub use compression::Compression;
pub use options::GenerateOptions;
pub use profile::Profile;
pub use run::{Config, Report, Target, run_generate};
pub use world::World;
