//! Polling of asynchronous AWS operations with exponentially growing delays.

use std::time::{Duration, Instant};

/// Delay before the second poll; each later delay is 1.5 times the one before.
const INITIAL_DELAY: Duration = Duration::from_millis(100);

/// Timer of a polling loop.
pub(crate) struct Polling {
    started: Instant,
    delay: Duration,
    max_delay: Duration,
}

impl Polling {
    /// Starts polling with delays of at most `max_delay`.
    pub(crate) fn with_max_delay(max_delay: Duration) -> Self {
        Self { started: Instant::now(), delay: INITIAL_DELAY, max_delay }
    }

    /// Returns the time since polling started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Sleeps until the next poll.
    pub(crate) async fn sleep(&mut self) {
        tokio::time::sleep(self.delay).await;
        self.delay = (self.delay * 3 / 2).min(self.max_delay);
    }
}
