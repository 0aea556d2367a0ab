//! TODO

use ticket_schema::Timestamp;
use ticket_schema::enums::Status;

/// How a ticket's life begins, in seconds from its opening.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenPhase {
    pub(super) first_response: i64,
    /// From when to when work waiting, if it does.
    pub(super) waiting: Option<(i64, i64)>,
}

/// How it ends, in seconds from its opening.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResolutionPhase {
    pub(super) resolved: i64,
    /// When it is re-opened and resolved for the second time, if it is.
    pub(super) reopened: Option<(i64, i64)>,
    pub(super) closed: i64,
}

/// What a ticket's life shows at a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it stands.
    pub status: Status,
    /// Its last change so far; missing the SLA target is one.
    pub updated_at: Timestamp,
    /// Its resolution, if it is resolved.
    pub resolved_at: Option<Timestamp>,
    /// Whether the SLA target was missed, or is already overdue.
    pub sla_breached: bool,
}

/// When a ticket was opened, and how old it is, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) opened: Timestamp,
    pub(super) age: i64,
}

impl Clock {
    fn after(self, seconds: i64) -> Timestamp {
        self.opened.plus_seconds(seconds)
    }
}

impl ResolutionPhase {
    /// What shows of it; nothing before the ticket is resolved, nor while it is re-opened.
    pub(super) fn snapshot(&self, clock: Clock, target: i64) -> Option<Snapshot> {
        if clock.age < self.resolved {
            return None;
        }
        let resolved = match self.reopened {
            Some((reopened, resolved_again)) if clock.age >= reopened => {
                if clock.age < resolved_again {
                    return None;
                }
                resolved_again
            }
            _ => self.resolved,
        };
        let (status, changed) =
            if clock.age >= self.closed { (Status::Closed, self.closed) } else { (Status::Resolved, resolved) };
        Some(Snapshot {
            status,
            updated_at: clock.after(changed),
            resolved_at: Some(clock.after(resolved)),
            sla_breached: resolved > target,
        })
    }
}

impl OpenPhase {
    /// What shows of it, or of its second open, while the ticket isn't resolved.
    pub(super) fn snapshot(&self, clock: Clock, target: i64, resolution: &ResolutionPhase) -> Snapshot {
        let age = clock.age;
        let (status, changed) = match (resolution.reopened, self.waiting) {
            (Some((reopened, _)), _) if age >= reopened => (Status::InProgress, reopened),
            (_, Some((_, until))) if age >= until => (Status::InProgress, until),
            (_, Some((from, _))) if age >= from => (Status::Waiting, from),
            _ if age >= self.first_response => (Status::InProgress, self.first_response),
            _ => (Status::Open, 0),
        };
        let sla_breached = age > target;
        let changed = if sla_breached { changed.max(target + 1) } else { changed };
        Snapshot { status, updated_at: clock.after(changed), resolved_at: None, sla_breached }
    }
}
