//! Expected number of tickets per hour and market, from the calendar and the recalls.

use chrono::{Datelike, NaiveDate};
use manifest::WorldParameters;
use ticket_schema::Timestamp;
use ticket_schema::enums::{Channel, Market};

use crate::profile::Profile;
use crate::rng::categorical::Categorical;
use crate::rng::distributions::lognormal_mean_one;
use crate::rng::{HashKey, WorldSeed};
use crate::world::calendar::{LocalHour, WEEK_HOURS, holidays::is_holiday, is_day_after_holiday};
use crate::world::demand_surge::DemandSurge;

const HOUR_SECONDS: i64 = 3600;

/// Number of markets.
pub const MARKETS: usize = Market::ALL.len();

/// Number of channels.
pub const CHANNELS: usize = Channel::ALL.len();

/// Iterations of proportional fitting; it converges to machine precision much earlier.
const ITERATIONS: usize = 50;

/// Expected arrivals of a world.
#[derive(Debug)]
pub struct ArrivalRates {
    /// In chronological order.
    pub hours: Vec<HourlyRate>,
    /// Number of hours in the first period.
    pub n_first_period: usize,
    /// Distribution of the channels, by hour of the week.
    pub channels: Vec<Categorical<CHANNELS>>,
}

/// An hour, or the part of one that lies within the world's first period or after it.
#[derive(Clone, Debug)]
pub struct HourlyRate {
    /// Start of the hour.
    pub start: Timestamp,
    /// Length in seconds.
    pub seconds: i64,
    /// Local hour of the week, by market.
    pub hour_of_week: [u8; MARKETS],
    /// Expected baseline tickets, by market.
    pub baseline: [f64; MARKETS],
}

impl HourlyRate {
    /// Returns the expected tickets by market, including those of the surges.
    pub fn with_surges(&self, surges: &[DemandSurge]) -> [f64; MARKETS] {
        let mut tickets = self.baseline;
        for surge in surges {
            let level = surge.level(self.start);
            if level > 0.0 {
                for (market, tickets) in tickets.iter_mut().enumerate() {
                    *tickets += self.baseline[market] * surge.uplift[market] * level;
                }
            }
        }
        tickets
    }
}

impl ArrivalRates {
    /// Computes the expected arrivals of a world, up to the end of its first period or as-of, whichever is later.
    ///
    /// Over the first period, markets and channels have the profile's shares, recalls included.
    pub fn new(world: &WorldParameters, profile: &Profile, recalls: &[DemandSurge]) -> Self {
        let mut hours = hours(world);
        let end = world.first_period_end();
        let n_first_period = hours.partition_point(|hour| hour.start < end);
        let days = DailyVariation { profile, key: WorldSeed::of(world).key("day") };
        days.fill(&mut hours);

        let profiles = hours_of_week(profile);
        let volumes = channel_volumes(&hours[..n_first_period], &profiles, recalls);
        let weights = fit_channels(profile, &volumes);
        let markets = profile.markets.weights.shares();
        let scale: [f64; MARKETS] = std::array::from_fn(|market| {
            let volume: f64 = volumes[market].iter().zip(weights).map(|(volume, weight)| volume * weight).sum();
            if volume > 0.0 { markets[market] * world.count as f64 / volume } else { 0.0 }
        });
        let channels_at = |hour: usize| std::array::from_fn::<_, CHANNELS, _>(|c| weights[c] * profiles[c][hour]);
        for hour in &mut hours {
            for (market, tickets) in hour.baseline.iter_mut().enumerate() {
                *tickets *= scale[market] * channels_at(usize::from(hour.hour_of_week[market])).iter().sum::<f64>();
            }
        }
        let channels = (0..WEEK_HOURS).map(|hour| Categorical::new(&channels_at(hour))).collect();
        Self { hours, n_first_period, channels }
    }
}

/// Splits a world into hours; the first period's start and end split the hours that contain them.
fn hours(world: &WorldParameters) -> Vec<HourlyRate> {
    let (start, middle) = (world.world_start.seconds(), world.first_period_end().seconds());
    let end = middle.max(world.as_of.seconds());
    let mut hours = Vec::new();
    let mut at = start;
    while at < end {
        let next_hour = (at.div_euclid(HOUR_SECONDS) + 1) * HOUR_SECONDS;
        let next = if at < middle { next_hour.min(middle) } else { next_hour };
        let start = world.world_start.plus_seconds(at - start);
        let hour_of_week = |market: usize| LocalHour::at(Market::ALL[market], start.to_chrono()).hour_of_week;
        hours.push(HourlyRate {
            start,
            seconds: next - at,
            hour_of_week: std::array::from_fn(hour_of_week),
            baseline: [(next - at) as f64 / HOUR_SECONDS as f64; MARKETS],
        });
        at = next;
    }
    hours
}

/// Daily factors of a market's volume.
struct DailyVariation<'a> {
    profile: &'a Profile,
    key: HashKey,
}

impl DailyVariation<'_> {
    fn fill(&self, hours: &mut [HourlyRate]) {
        for (i, market) in Market::ALL.iter().enumerate() {
            let mut today = (NaiveDate::MIN, 0.0);
            for hour in &mut *hours {
                let date = LocalHour::at(*market, hour.start.to_chrono()).date;
                if date != today.0 {
                    today = (date, self.factor(*market, date));
                }
                hour.baseline[i] *= today.1;
            }
        }
    }

    fn factor(&self, market: Market, date: NaiveDate) -> f64 {
        let holidays = &self.profile.holidays;
        let holiday = match () {
            () if is_holiday(market, date) => holidays.holiday.get(),
            () if is_day_after_holiday(market, date) => holidays.day_after.get(),
            () => 1.0,
        };
        let number = i64::from(date.num_days_from_ce()) * MARKETS as i64 + market as i64;
        let own = lognormal_mean_one(self.profile.days.spread.get(), self.key.unit(number.unsigned_abs()));
        self.profile.months.factors[date.month0() as usize].get() * holiday * own
    }
}

/// Returns each channel's profile over the hours of a week, with mean 1.
fn hours_of_week(profile: &Profile) -> [[f64; WEEK_HOURS]; CHANNELS] {
    std::array::from_fn(|channel| {
        let (days, hours) = match Channel::ALL[channel] {
            Channel::Phone | Channel::WalkIn | Channel::DealerPortal => {
                (&profile.weekdays.opening, &profile.hours.opening)
            }
            Channel::BmwApp => (&profile.weekdays.online, &profile.hours.app),
            Channel::Email => (&profile.weekdays.online, &profile.hours.email),
        };
        let weights: [f64; WEEK_HOURS] = std::array::from_fn(|hour| days[hour / 24].get() * hours.get(hour % 24));
        let mean = weights.iter().sum::<f64>() / WEEK_HOURS as f64;
        weights.map(|weight| weight / mean)
    })
}

/// Returns each channel's volume in each market at weight 1.
fn channel_volumes(
    hours: &[HourlyRate],
    profiles: &[[f64; WEEK_HOURS]; CHANNELS],
    recalls: &[DemandSurge],
) -> [[f64; CHANNELS]; MARKETS] {
    let mut volumes = [[0.0; CHANNELS]; MARKETS];
    for hour in hours {
        let tickets = hour.with_surges(recalls);
        for (market, volumes) in volumes.iter_mut().enumerate() {
            for (volume, profile) in volumes.iter_mut().zip(profiles) {
                *volume += tickets[market] * profile[usize::from(hour.hour_of_week[market])];
            }
        }
    }
    volumes
}

/// Fits the channels' weights so that their shares over all markets are those of the profile (iterative proportional
/// fitting).
fn fit_channels(profile: &Profile, volumes: &[[f64; CHANNELS]; MARKETS]) -> [f64; CHANNELS] {
    let (markets, target) = (profile.markets.weights.shares(), profile.channels.weights.shares());
    let mut weights: [f64; CHANNELS] = std::array::from_fn(|channel| target[channel]);
    for _ in 0..ITERATIONS {
        let mut shares = [0.0; CHANNELS];
        for (volumes, market) in volumes.iter().zip(&markets) {
            let total: f64 = volumes.iter().zip(weights).map(|(volume, weight)| volume * weight).sum();
            if total > 0.0 {
                for (channel, share) in shares.iter_mut().enumerate() {
                    *share += market * volumes[channel] * weights[channel] / total;
                }
            }
        }
        for (channel, weight) in weights.iter_mut().enumerate() {
            // A channel that cannot occur, for example in a period without opening hours, keeps its weight.
            if shares[channel] > 0.0 {
                *weight *= target[channel] / shares[channel];
            }
        }
    }
    weights
}
