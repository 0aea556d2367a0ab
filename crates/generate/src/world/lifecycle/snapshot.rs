//! State of a ticket at a point in time.

use ticket_schema::Timestamp;
use ticket_schema::enums::Status;

/// Events before resolution, in seconds from creation.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenPhase {
    pub(super) first_response: i64,
    /// Start and end of the waiting period, if there is one.
    pub(super) waiting: Option<(i64, i64)>,
}

/// Events from resolution on, in seconds from creation.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResolutionPhase {
    pub(super) resolved: i64,
    /// Times of re-opening and of the second resolution, if the ticket is re-opened.
    pub(super) reopened: Option<(i64, i64)>,
    pub(super) closed: i64,
}

/// State of a ticket at a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Current status.
    pub status: Status,
    /// Time of the last change; the breach of the SLA target counts as one.
    pub updated_at: Timestamp,
    /// Time of resolution, if the ticket is resolved.
    pub resolved_at: Option<Timestamp>,
    /// True if the SLA target was missed or is overdue.
    pub sla_breached: bool,
}

/// Time of creation, and age in seconds.
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
    /// Returns the state of a resolved ticket; `None` before resolution and while re-opened.
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
    /// Returns the state of a ticket that is not resolved, including re-opened ones.
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
