//! Polling of operations that AWS runs asynchronously.

use std::time::{Duration, Instant};

/// First delay; each one is 1.5 times the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Exponentially growing delays between polls.
pub(crate) struct Polling {
    begun: Instant,
    pause: Duration,
    longest: Duration,
}

impl Polling {
    /// Starts polling with delays of at most `longest`.
    pub(crate) fn up_to(longest: Duration) -> Self {
        Self { begun: Instant::now(), pause: FIRST_PAUSE, longest }
    }

    /// Returns the time since polling began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Sleeps until the next poll.
    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 3 / 2).min(self.longest);
    }
}
