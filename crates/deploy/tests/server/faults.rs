//! Injected faults, and the requests that they apply to.

use std::time::Duration;

/// Fault of the server or the network.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Error response with this status, code and message.
    Error(u16, &'static str, &'static str),
    /// Response with status 200 and this body.
    Response(&'static str),
    /// Connection reset before the request is executed.
    Reset,
    /// Response truncated to this number of bytes, after the request was executed.
    Truncate(usize),
    /// Delay before the request is executed.
    Delay(Duration),
    /// Flipped bit in the body of the request.
    Corrupt,
    /// Client killed before the request is executed, which it then isn't.
    KillBefore,
    /// Client killed after the request was executed.
    KillAfter,
}

/// Requests that a fault applies to.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    method: &'static str,
    target: String,
    n_skipped: usize,
    n_remaining: usize,
    fault: Fault,
}

impl Rule {
    /// Applies to requests whose line, as in `PUT /bucket/key?x-id=PutObject`, starts with `method` and contains `target`.
    pub(crate) fn new(method: &'static str, target: &str, fault: Fault) -> Self {
        Self { method, target: target.to_owned(), n_skipped: 0, n_remaining: usize::MAX, fault }
    }

    /// Limits the rule to `n` requests.
    pub(crate) fn times(self, n: usize) -> Self {
        Self { n_remaining: n, ..self }
    }

    /// Skips the first `n` requests.
    pub(crate) fn after(self, n: usize) -> Self {
        Self { n_skipped: n, ..self }
    }

    /// Returns the fault if the rule applies to this request, and counts the request.
    pub(crate) fn fault_of(&mut self, line: &str) -> Option<Fault> {
        if !line.starts_with(self.method) || !line.contains(&self.target) || self.n_remaining == 0 {
            return None;
        }
        if self.n_skipped > 0 {
            self.n_skipped -= 1;
            return None;
        }
        self.n_remaining = self.n_remaining.saturating_sub(1);
        Some(self.fault)
    }
}
