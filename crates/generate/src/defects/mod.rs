//! Plants defects among the tickets as a real landing zone has them, and knows where.
//!
//! A defective ticket's line is either broken where it stands, or in good order and followed by a copy: one line that breaks
//! the contract or repeats a ticket for each entry of the truth. LineSelection depend on the world and the rate alone, so files,
//! shards and threads cut the same lines differently, as they do without defects.
//!
//! * [`rate`]: how many tickets get a defect.
//! * [`plan`]: which, and of what kind.
//! * [`broken`]: the ways to break a line.
//! * [`record`]: the truth file.

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

/// Plants the defects of one data set.
#[derive(Clone, Copy, Debug)]
pub struct DefectInjector {
    rate: Rate,
    /// The number of the data set's first ticket.
    first: u64,
}

/// What was made of a range of tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InjectedDefects {
    /// How many lines.
    pub n_lines: u64,
    /// Those with a defect, in order.
    pub defects: Vec<InjectedDefect>,
}

/// A line with a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InjectedDefect {
    /// The line, from 0 at the first one of the range.
    pub line: u64,
    /// What is wrong with it.
    pub kind: DefectKind,
    /// The ticket it was made from.
    pub ticket_id: Uuid,
    /// The field that it is in, if it is in one.
    pub field: Option<&'static str>,
}

impl DefectInjector {
    /// DefectInjector in a data set that begins with the ticket number `first`; `None` for a rate of 0.
    pub fn new(rate: Rate, first: u64) -> Option<Self> {
        (!rate.is_zero()).then_some(Self { rate, first })
    }

    /// Appends the lines of a range of tickets, and says which have a defect.
    ///
    /// `keep` is given each ticket that remains when broken lines are refused and of several lines of a ticket the latest state
    /// is kept. That of a ticket before the data set's first is in the data set only as its copy.
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
            if let Some(plan) = plans.get(&n).filter(|plan| plan.kind.is_refused()) {
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

/// The tickets whose copy comes right after ticket `n`, oldest first.
fn copies_due_after(n: u64, plans: &BTreeMap<u64, Plan>) -> impl Iterator<Item = (u64, &Plan)> {
    DELAYS.into_iter().filter_map(move |delay| {
        let original = n.checked_sub(delay)?;
        let plan = plans.get(&original)?;
        (!plan.kind.is_refused() && plan.delay == delay).then_some((original, plan))
    })
}

/// The copy of a ticket: as it is, or as it was at some moment before its last change. A ticket that never changed has no
/// earlier state, and is repeated as it is.
fn copy(world: &World, n: u64, plan: &Plan) -> (Ticket, DefectKind) {
    let latest = world.ticket_as_of(n, world.parameters().as_of);
    let changing_seconds = latest.updated_at.seconds() - latest.created_at.seconds();
    if plan.kind == DefectKind::Duplicate || changing_seconds == 0 {
        return (latest, DefectKind::Duplicate);
    }
    let as_of = latest.created_at.plus_seconds(plan.rng.clone().second_of(changing_seconds));
    (world.ticket_as_of(n, as_of), DefectKind::LateCopy)
}
