//! Injection of defects as they occur in a landing zone, with a record of their positions.
//!
//! The line of a defective ticket is either corrupted, or intact and followed by a copy. So each entry of the truth
//! file is one line that violates the contract or repeats a ticket. The lines depend on the world and the rate alone:
//! file size, shards and threads do not change them.
//!
//! * [`rate`]: the share of tickets with a defect.
//! * [`plan`]: the selection of tickets and kinds.
//! * [`corruption`]: the ways to corrupt a line.
//! * [`truth_file`]: the list of injected defects.

use std::collections::BTreeMap;
use std::ops::Range;

use manifest::defects::DefectKind;
use ticket_schema::Ticket;
use uuid::Uuid;

pub mod corruption;
pub mod plan;
pub mod rate;
pub mod truth_file;

use crate::render::Renderer;
use crate::world::World;
use corruption::corrupt_line;
use plan::{DELAYS, Plan};
pub use rate::Rate;
pub use truth_file::TruthFile;

/// Injector of the defects of one data set.
#[derive(Clone, Copy, Debug)]
pub struct DefectInjector {
    rate: Rate,
    /// The number of the data set's first ticket.
    first: u64,
}

/// The lines of a range of tickets, and the defects among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InjectedDefects {
    /// Number of lines.
    pub n_lines: u64,
    /// The defective lines, in order.
    pub defects: Vec<InjectedDefect>,
}

/// A line with a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InjectedDefect {
    /// Line number, counted from 0 within the range.
    pub line: u64,
    /// Kind of the defect.
    pub kind: DefectKind,
    /// Identifier of the ticket that the line was rendered from.
    pub ticket_id: Uuid,
    /// Name of the corrupted field; `None` for truncated lines and copies.
    pub field: Option<&'static str>,
}

impl DefectInjector {
    /// Creates an injector for a data set whose first ticket has the number `first`; returns `None` for a rate of 0.
    pub fn new(rate: Rate, first: u64) -> Option<Self> {
        (!rate.is_zero()).then_some(Self { rate, first })
    }

    /// Appends the lines of a range of tickets and returns the defects among them.
    ///
    /// Calls `keep` for each ticket that remains after corrupted lines are rejected and only the latest state of each
    /// ticket is kept. A ticket before the data set's first is present only as a copy, and is passed to `keep` with
    /// that copy's state.
    pub fn inject(
        &self,
        world: &World,
        renderer: &Renderer,
        tickets: Range<u64>,
        lines: &mut Vec<u8>,
        mut keep: impl FnMut(&Ticket),
    ) -> InjectedDefects {
        let earliest = tickets.start.saturating_sub(DELAYS[0]);
        let plans = Plan::of_range(world.parameters().seed, self.rate, earliest..tickets.end);
        let mut injected = InjectedDefects::default();
        for (n, ticket) in tickets.clone().zip(world.tickets(tickets)) {
            if let Some(plan) = plans.get(&n).filter(|plan| plan.kind.is_rejected()) {
                injected.add_broken(&ticket, plan, lines);
            } else {
                keep(&ticket);
                lines.extend_from_slice(&renderer.line(&ticket));
                injected.n_lines += 1;
            }
            for (original, plan) in copies_due_after(n, &plans) {
                let (copy, kind) = copy(world, original, plan);
                if original < self.first {
                    keep(&copy);
                }
                lines.extend_from_slice(&renderer.line(&copy));
                injected.add(kind, copy.ticket_id, None);
            }
        }
        injected
    }
}

impl InjectedDefects {
    fn add_broken(&mut self, ticket: &Ticket, plan: &Plan, lines: &mut Vec<u8>) {
        let (line, field) = corrupt_line(ticket, plan.kind, &mut plan.rng.clone());
        lines.extend_from_slice(&line);
        lines.push(b'\n');
        self.add(plan.kind, ticket.ticket_id, field);
    }

    fn add(&mut self, kind: DefectKind, ticket_id: Uuid, field: Option<&'static str>) {
        self.defects.push(InjectedDefect { line: self.n_lines, kind, ticket_id, field });
        self.n_lines += 1;
    }
}

/// Returns the tickets whose copy follows ticket `n` directly, oldest first.
fn copies_due_after(n: u64, plans: &BTreeMap<u64, Plan>) -> impl Iterator<Item = (u64, &Plan)> {
    DELAYS.into_iter().filter_map(move |delay| {
        let original = n.checked_sub(delay)?;
        let plan = plans.get(&original)?;
        (!plan.kind.is_rejected() && plan.delay == delay).then_some((original, plan))
    })
}

/// Returns the copy of a ticket: an exact duplicate, or its state at a random time before its last change. A ticket
/// that never changed has no earlier state and is duplicated exactly.
fn copy(world: &World, n: u64, plan: &Plan) -> (Ticket, DefectKind) {
    let latest = world.ticket_as_of(n, world.parameters().as_of);
    let changing_seconds = latest.updated_at.seconds() - latest.created_at.seconds();
    if plan.kind == DefectKind::Duplicate || changing_seconds == 0 {
        return (latest, DefectKind::Duplicate);
    }
    let as_of = latest.created_at.plus_seconds(plan.rng.clone().second_of(changing_seconds));
    (world.ticket_as_of(n, as_of), DefectKind::LateCopy)
}
