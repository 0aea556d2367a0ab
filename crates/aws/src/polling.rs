//! Looking again and again at what AWS does in its own time.

use std::time::{Duration, Instant};

/// The first wait; it grows by half each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Waits between looks that become longer.
pub(crate) struct Polling {
    begun: Instant,
    pause: Duration,
    longest: Duration,
}

impl Polling {
    /// Waits of at most `longest`.
    pub(crate) fn up_to(longest: Duration) -> Self {
        Self { begun: Instant::now(), pause: FIRST_PAUSE, longest }
    }

    /// How long it has been going on.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Waits before the next look.
    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 3 / 2).min(self.longest);
    }
}
