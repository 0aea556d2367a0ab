//! Counters behind the [expected answers](crate::expected_answers), at a few instructions per ticket.

use ticket_schema::{Ticket, Timestamp};

/// Number of tickets by resolution state and SLA breach.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OutcomeCounts([[u64; 2]; 2]);

impl OutcomeCounts {
    pub(crate) fn count(&mut self, ticket: &Ticket) {
        self.0[usize::from(ticket.resolved_at.is_some())][usize::from(ticket.sla_breached)] += 1;
    }

    pub(crate) const fn unresolved(self) -> u64 {
        self.0[0][0] + self.0[0][1]
    }

    pub(crate) const fn resolved(self) -> u64 {
        self.0[1][0] + self.0[1][1]
    }

    pub(crate) const fn breached(self) -> u64 {
        self.0[0][1] + self.0[1][1]
    }

    pub(crate) const fn tickets(self) -> u64 {
        self.unresolved() + self.resolved()
    }
}

impl std::ops::AddAssign for OutcomeCounts {
    fn add_assign(&mut self, other: Self) {
        add_all(self.0.as_flattened_mut(), other.0.as_flattened());
    }
}

impl std::iter::Sum for OutcomeCounts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

/// Distribution of the time to resolution.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResolutionTimes {
    n_tickets: u64,
    total_seconds: u64,
    /// Number of tickets by time to resolution in hundredths of an hour, rounded as in the query's output.
    by_hundredth_hour: Vec<u64>,
}

impl ResolutionTimes {
    pub(crate) fn count(&mut self, created_at: Timestamp, resolved_at: Timestamp) {
        let seconds = resolved_at.seconds() - created_at.seconds();
        self.n_tickets += 1;
        self.total_seconds += seconds.unsigned_abs();
        *entry(&mut self.by_hundredth_hour, hundredths_of_an_hour(seconds)) += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.n_tickets += other.n_tickets;
        self.total_seconds += other.total_seconds;
        let n = self.by_hundredth_hour.len().max(other.by_hundredth_hour.len());
        self.by_hundredth_hour.resize(n, 0);
        add_all(&mut self.by_hundredth_hour, &other.by_hundredth_hour);
    }

    pub(crate) const fn n_tickets(&self) -> u64 {
        self.n_tickets
    }

    pub(crate) fn mean_hours(&self) -> f64 {
        self.total_seconds as f64 / self.n_tickets as f64 / 3600.0
    }

    /// Returns the value of rank `floor(q * n)`, counted from 0, as Trino's `approx_percentile` does. Rounding is
    /// monotonic, so the rank can be taken over rounded values.
    pub(crate) fn percentile_hours(&self, q: f64) -> f64 {
        let rank = ((q * self.n_tickets as f64) as u64).min(self.n_tickets.saturating_sub(1));
        let mut below = 0;
        let below_rank = self.by_hundredth_hour.iter().take_while(|n| {
            below += **n;
            below <= rank
        });
        below_rank.count() as f64 / 100.0
    }
}

/// Returns entry `i`, growing the table on demand.
pub(crate) fn entry<T: Clone + Default>(table: &mut Vec<T>, i: usize) -> &mut T {
    if i >= table.len() {
        grow(table, i);
    }
    &mut table[i]
}

fn grow<T: Clone + Default>(table: &mut Vec<T>, i: usize) {
    table.resize(i + 1, T::default());
}

pub(crate) fn add_all(mine: &mut [u64], theirs: &[u64]) {
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine += theirs;
    }
}

/// Returns a duration as the query prints it, `ROUND(hours, 2)`, times 100. Adding one half and truncating equals
/// `round` for these values and is much cheaper.
fn hundredths_of_an_hour(seconds: i64) -> usize {
    (seconds as f64 / 3600.0 * 100.0 + 0.5) as usize
}

#[cfg(test)]
mod tests {
    use super::hundredths_of_an_hour;

    #[test]
    fn rounding_matches_f64_round_for_three_years_of_seconds() {
        for seconds in 0..100_000_000 {
            let rounded = (seconds as f64 / 3600.0 * 100.0).round() as usize;
            assert_eq!(hundredths_of_an_hour(seconds), rounded, "{seconds}");
        }
    }
}
