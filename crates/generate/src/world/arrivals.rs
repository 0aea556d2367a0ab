//! Arrival time, market and channel of each ticket.
//!
//! A table built at start accumulates the expected tickets hour by hour, sampled as in a Poisson process. Ticket `n`
//! arrives in the hour whose cumulative range contains `n`, at a time given by the gaps between tickets. Ticket numbers
//! are therefore in chronological order, and any range of them can be generated independently.

use manifest::WorldParameters;
use ticket_schema::Timestamp;
use ticket_schema::enums::{Channel, Market};

use crate::rng::WorldSeed;
use crate::rng::categorical::Categorical;
use crate::rng::distributions::gamma;
use crate::world::arrival_rate::{ArrivalRates, CHANNELS, MARKETS};
use crate::world::calendar::month;
use crate::world::demand_surge::DemandSurge;
use crate::world::interarrival::{InterarrivalTimes, Interval, Position};

/// Upper bound on the number of tickets in the table.
const MAX_TICKETS: f64 = (1_u64 << 48) as f64;

/// Arrival table of a world.
#[derive(Debug)]
pub struct Arrivals {
    /// The last entry represents all time after the table and has no tickets.
    hours: Vec<ArrivalHour>,
    interarrival: InterarrivalTimes,
    channels: Vec<Categorical<CHANNELS>>,
    surges: Vec<DemandSurge>,
    /// Level of each surge in each hour, hour by hour.
    levels: Vec<f32>,
}

/// A row of the table: an hour, or the part of one that lies in the world.
#[derive(Clone, Debug)]
pub struct ArrivalHour {
    start: Timestamp,
    seconds: i64,
    /// Number of the first ticket.
    first: u64,
    markets: Categorical<MARKETS>,
    /// Local hour of the week, by market.
    hour_of_week: [u8; MARKETS],
    has_surge: bool,
    /// Months since the world's first month.
    pub month: u16,
}

/// Position in the sequence of tickets.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    hour: usize,
    position: Position,
    next: u64,
}

/// Cause of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Part of the baseline.
    Baseline,
    /// Part of a surge, given by its index among the world's surges.
    Surge(usize),
}

impl Arrivals {
    /// Builds the table. Returns `None` if no ticket or more than 2^48 tickets are expected.
    pub fn new(world: &WorldParameters, rates: ArrivalRates, surges: Vec<DemandSurge>) -> Option<Self> {
        let seed = WorldSeed::of(world);
        let key = seed.key("hour");
        let markets: Vec<[f64; MARKETS]> = rates.hours.iter().map(|rate| rate.with_surges(&surges)).collect();
        let sampled = |(rate, markets): (&crate::world::arrival_rate::HourlyRate, &[f64; MARKETS])| {
            gamma(markets.iter().sum(), key, rate.start.seconds().unsigned_abs())
        };
        let tickets: Vec<f64> = rates.hours.iter().zip(&markets).map(sampled).collect();
        let first_period: f64 = tickets[..rates.n_first_period].iter().sum();
        let scale = world.count as f64 / first_period;
        let all: f64 = tickets.iter().sum::<f64>() * scale;
        // Also false if no ticket is expected.
        if !(first_period > 0.0 && all < MAX_TICKETS) {
            return None;
        }

        let first_month = month(world.world_start);
        let mut sum = 0.0;
        let mut hours = Vec::with_capacity(tickets.len() + 1);
        for (i, (rate, tickets)) in rates.hours.iter().zip(&tickets).enumerate() {
            hours.push(ArrivalHour {
                start: rate.start,
                seconds: rate.seconds,
                // The first period has exactly `count` tickets, independent of rounding.
                first: if i == rates.n_first_period { world.count } else { libm::round(sum) as u64 },
                markets: Categorical::new(&markets[i]),
                hour_of_week: rate.hour_of_week,
                has_surge: surges.iter().any(|surge| surge.level(rate.start) > 0.0),
                month: (month(rate.start) - first_month) as u16,
            });
            sum += tickets * scale;
        }
        let last = hours.last()?.clone();
        let first = if tickets.len() == rates.n_first_period { world.count } else { libm::round(sum) as u64 };
        hours.push(ArrivalHour { start: last.start.plus_seconds(last.seconds), first, ..last });

        let levels = rates.hours.iter().flat_map(|rate| surges.iter().map(|surge| surge.level(rate.start) as f32));
        let levels = levels.collect();
        let interarrival = InterarrivalTimes::new(seed.key("gap"), seed.key("part"));
        Some(Self { hours, interarrival, channels: rates.channels, surges, levels })
    }

    /// Returns the position before ticket `n`.
    pub fn cursor(&self, n: u64) -> Cursor {
        // Of several hours with the same first ticket, only the last is not empty.
        let hour = self.hours.partition_point(|hour| hour.first <= n).saturating_sub(1);
        Cursor { hour, position: self.interarrival.position(self.interval(hour), n), next: n }
    }

    fn interval(&self, hour: usize) -> Interval {
        let ArrivalHour { start, seconds, first, .. } = self.hours[hour];
        let end = self.hours.get(hour + 1).map_or(first, |next| next.first);
        Interval { first, n_tickets: end - first, start: start.seconds() as f64, seconds: seconds as f64 }
    }

    /// Returns the arrival time of the next ticket, and the index of its row.
    pub fn next(&self, cursor: &mut Cursor) -> (Timestamp, usize) {
        let n = cursor.next;
        if !cursor.position.contains(n) {
            *cursor = self.cursor(n);
        }
        cursor.next += 1;
        let arrival = self.interarrival.next(&mut cursor.position, n);
        (Timestamp::from_day(0).plus_seconds(arrival as i64), cursor.hour)
    }

    /// Returns a row of the table.
    pub fn hour(&self, hour: usize) -> &ArrivalHour {
        &self.hours[hour]
    }

    /// Returns the market and the cause of a ticket of an hour.
    pub fn market(&self, hour: usize, word: u32) -> (Market, Cause) {
        let row = &self.hours[hour];
        if row.has_surge {
            let (market, position) = row.markets.sample_with_position(word);
            (Market::ALL[market], self.cause(hour, market, position))
        } else {
            (Market::ALL[row.markets.sample(word)], Cause::Baseline)
        }
    }

    /// Returns the cause of the ticket at `position` (from 0 to 1) among a market's tickets of an hour: the baseline
    /// comes first, then each surge.
    fn cause(&self, hour: usize, market: usize, position: f64) -> Cause {
        let heights = self.heights(hour, market);
        let mut position = position * (1.0 + heights.clone().sum::<f64>()) - 1.0;
        for (surge, height) in heights.enumerate() {
            if position < 0.0 {
                break;
            }
            if position < height {
                return Cause::Surge(surge);
            }
            position -= height;
        }
        Cause::Baseline
    }

    /// Returns the surges' heights in an hour and market, as multiples of the baseline.
    fn heights(&self, hour: usize, market: usize) -> impl Iterator<Item = f64> + Clone {
        let levels = &self.levels[hour * self.surges.len()..][..self.surges.len()];
        self.surges.iter().zip(levels).map(move |(surge, level)| surge.uplift[market] * f64::from(*level))
    }

    /// Returns the channel of a ticket of an hour and market.
    pub fn channel(&self, hour: usize, market: Market, word: u32) -> Channel {
        let hour_of_week = self.hours[hour].hour_of_week[market as usize];
        Channel::ALL[self.channels[usize::from(hour_of_week)].sample(word)]
    }

    /// Returns the surges, in the order of their indexes in [`Cause::Surge`].
    pub fn surges(&self) -> &[DemandSurge] {
        &self.surges
    }

    /// Returns the number of tickets in the table.
    pub fn n_tickets(&self) -> u64 {
        self.hours.last().map_or(0, |hour| hour.first)
    }

    /// Returns the expected tickets of the hours that start within `from..until`, by month and market.
    pub fn expected(&self, from: Timestamp, until: Timestamp) -> Vec<ExpectedTickets> {
        let mut all: Vec<ExpectedTickets> = Vec::new();
        for (i, hours) in self.hours.windows(2).enumerate() {
            let [hour, next] = hours else { continue };
            if !(from..until).contains(&hour.start) {
                continue;
            }
            if all.last().is_none_or(|last| last.month != hour.month) {
                let nothing = |market: &Market| ExpectedTickets::nothing(hour.month, *market, self.surges.len());
                all.extend(Market::ALL.iter().map(nothing));
            }
            let tickets = (next.first - hour.first) as f64;
            let this_month = all.len() - MARKETS;
            for (market, expected) in all[this_month..].iter_mut().enumerate() {
                let heights = self.heights(i, market);
                let baseline = tickets * hour.markets.share(market) / (1.0 + heights.clone().sum::<f64>());
                expected.baseline += baseline;
                for (sum, height) in expected.surges.iter_mut().zip(heights) {
                    *sum += baseline * height;
                }
            }
        }
        all
    }
}

/// Expected tickets of a month and market.
#[derive(Clone, Debug)]
pub struct ExpectedTickets {
    /// Months since the world's first month.
    pub month: u16,
    /// The market.
    pub market: Market,
    /// Baseline tickets.
    pub baseline: f64,
    /// Tickets of each surge.
    pub surges: Vec<f64>,
}

impl ExpectedTickets {
    fn nothing(month: u16, market: Market, n_surges: usize) -> Self {
        Self { month, market, baseline: 0.0, surges: vec![0.0; n_surges] }
    }
}
