//! When tickets arrive, and where.
//!
//! A table, made once, counts through the hours of the world: each has the tickets that are to be expected there, varied as a
//! Poisson process varies. Ticket `n` falls into the hour in which the table counts it, and within the hour where the gaps
//! between tickets let it fall. So numbers are in time order, and any range of them can be made by itself.

use manifest::WorldParameters;
use ticket_schema::Timestamp;
use ticket_schema::enums::{Channel, Market};

use crate::calendar::month;
use crate::distributions::gamma;
use crate::draws::Source;
use crate::shares::Shares;
use crate::spacing::{Place, Spacing, Stretch};
use crate::volume::{CHANNELS, MARKETS, Volume};
use crate::waves::Wave;

/// The most tickets that the table counts.
const MOST_TICKETS: f64 = (1_u64 << 48) as f64;

/// The table.
#[derive(Debug)]
pub struct Arrivals {
    /// The last one stands for all time after the table and has no tickets.
    hours: Vec<Hour>,
    spacing: Spacing,
    channels: Vec<Shares<CHANNELS>>,
    waves: Vec<Wave>,
    /// What is left of each wave in each hour, hour by hour.
    levels: Vec<f32>,
}

/// A row of the table: an hour, or the part of one that lies in the world.
#[derive(Clone, Debug)]
pub struct Hour {
    start: Timestamp,
    seconds: i64,
    /// The first ticket.
    first: u64,
    markets: Shares<MARKETS>,
    /// The hour of the week that the clocks show, by market.
    clocks: [u8; MARKETS],
    has_waves: bool,
    /// Months since the world's first.
    pub month: u16,
}

/// A place in the row of tickets.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    hour: usize,
    place: Place,
    next: u64,
}

/// What brings a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nothing in particular.
    Ordinary,
    /// A wave, by its place among the world's waves.
    Wave(usize),
}

impl Arrivals {
    /// The table of what is to be expected. `None` if there is nothing, or more than it can count.
    pub fn new(world: &WorldParameters, volume: Volume, waves: Vec<Wave>) -> Option<Self> {
        let source = Source::of(world);
        let key = source.key("hour");
        let markets: Vec<[f64; MARKETS]> = volume.cells.iter().map(|cell| cell.with_waves(&waves)).collect();
        let varied = |(cell, markets): (&crate::volume::Cell, &[f64; MARKETS])| {
            gamma(markets.iter().sum(), key, cell.start.seconds().unsigned_abs())
        };
        let tickets: Vec<f64> = volume.cells.iter().zip(&markets).map(varied).collect();
        let first_period: f64 = tickets[..volume.n_first_period].iter().sum();
        let scale = world.count as f64 / first_period;
        let all: f64 = tickets.iter().sum::<f64>() * scale;
        // Also false if nothing at all is to be expected.
        if !(first_period > 0.0 && all < MOST_TICKETS) {
            return None;
        }

        let first_month = month(world.world_start);
        let mut sum = 0.0;
        let mut hours = Vec::with_capacity(tickets.len() + 1);
        for (i, (cell, tickets)) in volume.cells.iter().zip(&tickets).enumerate() {
            hours.push(Hour {
                start: cell.start,
                seconds: cell.seconds,
                // The first period has exactly its count, whatever rounding does.
                first: if i == volume.n_first_period { world.count } else { libm::round(sum) as u64 },
                markets: Shares::new(&markets[i]),
                clocks: cell.hour_of_week,
                has_waves: waves.iter().any(|wave| wave.level(cell.start) > 0.0),
                month: (month(cell.start) - first_month) as u16,
            });
            sum += tickets * scale;
        }
        let last = hours.last()?.clone();
        let first = if tickets.len() == volume.n_first_period { world.count } else { libm::round(sum) as u64 };
        hours.push(Hour { start: last.start.plus_seconds(last.seconds), first, ..last });

        let levels = volume.cells.iter().flat_map(|cell| waves.iter().map(|wave| wave.level(cell.start) as f32));
        let levels = levels.collect();
        let spacing = Spacing::new(source.key("gap"), source.key("part"));
        Some(Self { hours, spacing, channels: volume.channels, waves, levels })
    }

    /// A place in the row of tickets, before ticket `n`.
    pub fn cursor(&self, n: u64) -> Cursor {
        // Of several hours that begin with a ticket, only the last one has it.
        let hour = self.hours.partition_point(|hour| hour.first <= n).saturating_sub(1);
        Cursor { hour, place: self.spacing.place(self.stretch(hour), n), next: n }
    }

    fn stretch(&self, hour: usize) -> Stretch {
        let Hour { start, seconds, first, .. } = self.hours[hour];
        let end = self.hours.get(hour + 1).map_or(first, |next| next.first);
        Stretch { first, n_tickets: end - first, start: start.seconds() as f64, seconds: seconds as f64 }
    }

    /// When the next ticket arrives, and in which row of the table.
    pub fn next(&self, cursor: &mut Cursor) -> (Timestamp, usize) {
        let n = cursor.next;
        if !cursor.place.holds(n) {
            *cursor = self.cursor(n);
        }
        cursor.next += 1;
        let arrival = self.spacing.next(&mut cursor.place, n);
        (Timestamp::from_day(0).plus_seconds(arrival as i64), cursor.hour)
    }

    /// A row of the table.
    pub fn hour(&self, hour: usize) -> &Hour {
        &self.hours[hour]
    }

    /// Where a ticket of an hour comes from, and what brings it.
    pub fn market(&self, hour: usize, word: u32) -> (Market, Cause) {
        let row = &self.hours[hour];
        if row.has_waves {
            let (market, place) = row.markets.pick_with_place(word);
            (Market::ALL[market], self.cause(hour, market, place))
        } else {
            (Market::ALL[row.markets.pick(word)], Cause::Ordinary)
        }
    }

    /// What brings the ticket that lies at `place` (from 0 to 1) of a market's tickets in an hour: the ordinary ones come
    /// first, then those of each wave.
    fn cause(&self, hour: usize, market: usize, place: f64) -> Cause {
        let heights = self.heights(hour, market);
        let mut place = place * (1.0 + heights.clone().sum::<f64>()) - 1.0;
        for (wave, height) in heights.enumerate() {
            if place < 0.0 {
                break;
            }
            if place < height {
                return Cause::Wave(wave);
            }
            place -= height;
        }
        Cause::Ordinary
    }

    /// The waves' heights in an hour and market, as multiples of the ordinary tickets.
    fn heights(&self, hour: usize, market: usize) -> impl Iterator<Item = f64> + Clone {
        let levels = &self.levels[hour * self.waves.len()..][..self.waves.len()];
        self.waves.iter().zip(levels).map(move |(wave, level)| wave.uplift[market] * f64::from(*level))
    }

    /// How a ticket of an hour and market reached us.
    pub fn channel(&self, hour: usize, market: Market, word: u32) -> Channel {
        let hour_of_week = self.hours[hour].clocks[market as usize];
        Channel::ALL[self.channels[usize::from(hour_of_week)].pick(word)]
    }

    /// The waves, in the order in which [`Cause::Wave`] numbers them.
    pub fn waves(&self) -> &[Wave] {
        &self.waves
    }

    /// How many tickets arrive before the table ends.
    pub fn n_tickets(&self) -> u64 {
        self.hours.last().map_or(0, |hour| hour.first)
    }

    /// The tickets that arrive in the hours that begin from `from` to before `until`, by month and market.
    pub fn expected(&self, from: Timestamp, until: Timestamp) -> Vec<Expected> {
        let mut all: Vec<Expected> = Vec::new();
        for (i, hours) in self.hours.windows(2).enumerate() {
            let [hour, next] = hours else { continue };
            if !(from..until).contains(&hour.start) {
                continue;
            }
            if all.last().is_none_or(|last| last.month != hour.month) {
                let nothing = |market: &Market| Expected::nothing(hour.month, *market, self.waves.len());
                all.extend(Market::ALL.iter().map(nothing));
            }
            let tickets = (next.first - hour.first) as f64;
            let this_month = all.len() - MARKETS;
            for (market, expected) in all[this_month..].iter_mut().enumerate() {
                let heights = self.heights(i, market);
                let ordinary = tickets * hour.markets.share(market) / (1.0 + heights.clone().sum::<f64>());
                expected.ordinary += ordinary;
                for (sum, height) in expected.waves.iter_mut().zip(heights) {
                    *sum += ordinary * height;
                }
            }
        }
        all
    }
}

/// Tickets that are to be expected in a month and market.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Months since the world's first.
    pub month: u16,
    /// Where.
    pub market: Market,
    /// Ordinary ones.
    pub ordinary: f64,
    /// Those of each wave.
    pub waves: Vec<f64>,
}

impl Expected {
    fn nothing(month: u16, market: Market, n_waves: usize) -> Self {
        Self { month, market, ordinary: 0.0, waves: vec![0.0; n_waves] }
    }
}
