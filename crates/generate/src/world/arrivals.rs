//! When tickets arrive, and where.
//!
//! A table, made once, counts through the hours of the world: each has the tickets that are to be expected there, varied as a
//! Poisson process varies. Ticket `n` falls into the hour in which the table counts it, and within the hour where the gaps
//! between tickets let it fall. So numbers are in time order, and any range of them can be made by itself.

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

/// The most tickets that the table counts.
const MOST_TICKETS: f64 = (1_u64 << 48) as f64;

/// The table.
#[derive(Debug)]
pub struct Arrivals {
    /// The last one stands for all time after the table and has no tickets.
    hours: Vec<ArrivalHour>,
    interarrival: InterarrivalTimes,
    channels: Vec<Categorical<CHANNELS>>,
    surges: Vec<DemandSurge>,
    /// What is left of each surge in each hour, hour by hour.
    levels: Vec<f32>,
}

/// A row of the table: an hour, or the part of one that lies in the world.
#[derive(Clone, Debug)]
pub struct ArrivalHour {
    start: Timestamp,
    seconds: i64,
    /// The first ticket.
    first: u64,
    markets: Categorical<MARKETS>,
    /// The hour of the week that the clocks show, by market.
    clocks: [u8; MARKETS],
    has_surge: bool,
    /// Months since the world's first.
    pub month: u16,
}

/// A position in the row of tickets.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    hour: usize,
    position: Position,
    next: u64,
}

/// What brings a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nothing in particular.
    Baseline,
    /// A surge, by its position among the world's surges.
    DemandSurge(usize),
}

impl Arrivals {
    /// The table of what is to be expected. `None` if there is nothing, or more than it can count.
    pub fn new(world: &WorldParameters, rates: ArrivalRates, surges: Vec<DemandSurge>) -> Option<Self> {
        let source = WorldSeed::of(world);
        let key = source.key("hour");
        let markets: Vec<[f64; MARKETS]> = rates.hours.iter().map(|rate| rate.with_surges(&surges)).collect();
        let varied = |(rate, markets): (&crate::world::arrival_rate::HourlyRate, &[f64; MARKETS])| {
            gamma(markets.iter().sum(), key, rate.start.seconds().unsigned_abs())
        };
        let tickets: Vec<f64> = rates.hours.iter().zip(&markets).map(varied).collect();
        let first_period: f64 = tickets[..rates.n_first_period].iter().sum();
        let scale = world.count as f64 / first_period;
        let all: f64 = tickets.iter().sum::<f64>() * scale;
        // Also false if nothing at all is to be expected.
        if !(first_period > 0.0 && all < MOST_TICKETS) {
            return None;
        }

        let first_month = month(world.world_start);
        let mut sum = 0.0;
        let mut hours = Vec::with_capacity(tickets.len() + 1);
        for (i, (rate, tickets)) in rates.hours.iter().zip(&tickets).enumerate() {
            hours.push(ArrivalHour {
                start: rate.start,
                seconds: rate.seconds,
                // The first period has exactly its count, whatever rounding does.
                first: if i == rates.n_first_period { world.count } else { libm::round(sum) as u64 },
                markets: Categorical::new(&markets[i]),
                clocks: rate.hour_of_week,
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
        let interarrival = InterarrivalTimes::new(source.key("gap"), source.key("part"));
        Some(Self { hours, interarrival, channels: rates.channels, surges, levels })
    }

    /// A position in the row of tickets, before ticket `n`.
    pub fn cursor(&self, n: u64) -> Cursor {
        // Of several hours that begin with a ticket, only the last one has it.
        let hour = self.hours.partition_point(|hour| hour.first <= n).saturating_sub(1);
        Cursor { hour, position: self.interarrival.position(self.interval(hour), n), next: n }
    }

    fn interval(&self, hour: usize) -> Interval {
        let ArrivalHour { start, seconds, first, .. } = self.hours[hour];
        let end = self.hours.get(hour + 1).map_or(first, |next| next.first);
        Interval { first, n_tickets: end - first, start: start.seconds() as f64, seconds: seconds as f64 }
    }

    /// When the next ticket arrives, and in which row of the table.
    pub fn next(&self, cursor: &mut Cursor) -> (Timestamp, usize) {
        let n = cursor.next;
        if !cursor.position.contains(n) {
            *cursor = self.cursor(n);
        }
        cursor.next += 1;
        let arrival = self.interarrival.next(&mut cursor.position, n);
        (Timestamp::from_day(0).plus_seconds(arrival as i64), cursor.hour)
    }

    /// A row of the table.
    pub fn hour(&self, hour: usize) -> &ArrivalHour {
        &self.hours[hour]
    }

    /// Where a ticket of an hour comes from, and what brings it.
    pub fn market(&self, hour: usize, word: u32) -> (Market, Cause) {
        let row = &self.hours[hour];
        if row.has_surge {
            let (market, position) = row.markets.sample_with_position(word);
            (Market::ALL[market], self.cause(hour, market, position))
        } else {
            (Market::ALL[row.markets.sample(word)], Cause::Baseline)
        }
    }

    /// What brings the ticket that lies at `position` (from 0 to 1) of a market's tickets in an hour: the baseline ones come
    /// first, then those of each surge.
    fn cause(&self, hour: usize, market: usize, position: f64) -> Cause {
        let heights = self.heights(hour, market);
        let mut position = position * (1.0 + heights.clone().sum::<f64>()) - 1.0;
        for (surge, height) in heights.enumerate() {
            if position < 0.0 {
                break;
            }
            if position < height {
                return Cause::DemandSurge(surge);
            }
            position -= height;
        }
        Cause::Baseline
    }

    /// The surges' heights in an hour and market, as multiples of the baseline tickets.
    fn heights(&self, hour: usize, market: usize) -> impl Iterator<Item = f64> + Clone {
        let levels = &self.levels[hour * self.surges.len()..][..self.surges.len()];
        self.surges.iter().zip(levels).map(move |(surge, level)| surge.uplift[market] * f64::from(*level))
    }

    /// How a ticket of an hour and market reached us.
    pub fn channel(&self, hour: usize, market: Market, word: u32) -> Channel {
        let hour_of_week = self.hours[hour].clocks[market as usize];
        Channel::ALL[self.channels[usize::from(hour_of_week)].sample(word)]
    }

    /// The surges, in the order in which [`Cause::DemandSurge`] numbers them.
    pub fn surges(&self) -> &[DemandSurge] {
        &self.surges
    }

    /// How many tickets arrive before the table ends.
    pub fn n_tickets(&self) -> u64 {
        self.hours.last().map_or(0, |hour| hour.first)
    }

    /// The tickets that arrive in the hours that begin from `from` to before `until`, by month and market.
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

/// Tickets that are to be expected in a month and market.
#[derive(Clone, Debug)]
pub struct ExpectedTickets {
    /// Months since the world's first.
    pub month: u16,
    /// Where.
    pub market: Market,
    /// Baseline ones.
    pub baseline: f64,
    /// Those of each surge.
    pub surges: Vec<f64>,
}

impl ExpectedTickets {
    fn nothing(month: u16, market: Market, n_surges: usize) -> Self {
        Self { month, market, baseline: 0.0, surges: vec![0.0; n_surges] }
    }
}
