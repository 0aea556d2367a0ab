//! Faults between a client and AWS, and the requests that they apply to.

use std::time::Duration;

/// A fault.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// AWS refuses with this status, code and message.
    Refused(u16, &'static str, &'static str),
    /// AWS answers this, with status 200.
    Answered(&'static str),
    /// The connection is reset before the request is carried out.
    Reset,
    /// The request is carried out, but only this many bytes of the answer arrive.
    Cut(usize),
    /// The request is carried out, after a while.
    Slow(Duration),
    /// A bit of the request's body has flipped on its way.
    Damaged,
    /// The client is killed, and the request isn't carried out.
    KilledBefore,
    /// The client is killed when the request has been carried out.
    KilledAfter,
}

/// The requests that a fault applies to.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    method: &'static str,
    target: String,
    skipped: usize,
    left: usize,
    fault: Fault,
}

impl Rule {
    /// Every request whose line, as in `PUT /bucket/key?x-id=PutObject`, begins with `method` and contains `target`.
    pub(crate) fn new(method: &'static str, target: &str, fault: Fault) -> Self {
        Self { method, target: target.to_owned(), skipped: 0, left: usize::MAX, fault }
    }

    /// Only the first `n`.
    pub(crate) fn times(self, n: usize) -> Self {
        Self { left: n, ..self }
    }

    /// Not the first `n`.
    pub(crate) fn after(self, n: usize) -> Self {
        Self { skipped: n, ..self }
    }

    /// The fault, if it befalls this request.
    pub(crate) fn befalls(&mut self, line: &str) -> Option<Fault> {
        if !line.starts_with(self.method) || !line.contains(&self.target) || self.left == 0 {
            return None;
        }
        if self.skipped > 0 {
            self.skipped -= 1;
            return None;
        }
        self.left = self.left.saturating_sub(1);
        Some(self.fault)
    }
}
