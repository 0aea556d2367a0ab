//! The optimised renderer against `serde_json`, for any ticket that the schema's types can represent.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use generate::render::{MAX_LINE_BYTES, Renderer};
use proptest::prelude::*;
use proptest::sample::select;
use ticket_schema::cars::ModelSeries;
use ticket_schema::enums::{Category, Channel, Market, Severity, Status};
use ticket_schema::ticket::{CustomerId, DealerId, VinLast6};
use ticket_schema::{Ticket, Timestamp};

/// Timestamps from the year 1 to 9999, half of them within the renderer's period.
fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![-62_135_596_800_i64..253_402_300_800, PERIOD.0..PERIOD.1]
        .prop_map(|seconds| Timestamp::from_seconds(seconds).unwrap_or(Timestamp::from_day(0)))
}

/// 2026-08-24T12:34:56Z to 2026-11-22T01:02:03Z.
const PERIOD: (i64, i64) = (1_787_574_896, 1_795_309_323);

prop_compose! {
    fn ticket()(
        (ticket_id, created_at, updated_at, resolved_at) in
            (any::<u128>(), timestamp(), timestamp(), proptest::option::of(timestamp())),
        (severity, status) in (select(Severity::ALL), select(Status::ALL)),
        (category, channel) in (select(Category::ALL), select(Channel::ALL)),
        (market, dealer_market, number) in (select(Market::ALL), select(Market::ALL), 1_u16..1000),
        (customer, vin) in (any::<u64>(), any::<u32>()),
        (model_series, model_year) in (select(ModelSeries::ALL), 1000..10_000),
        sla_breached: bool,
    ) -> Ticket {
        Ticket {
            ticket_id: uuid::Uuid::from_u128(ticket_id),
            created_at,
            updated_at,
            resolved_at,
            severity,
            status,
            category,
            channel,
            market,
            dealer_id: DealerId { market: dealer_market, number },
            customer_id: CustomerId::from_bits(customer),
            vin_last6: VinLast6::from_number(vin),
            model_series,
            model_year,
            sla_breached,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn lines_match_serde_json(ticket in ticket()) {
        let [first, last] = [PERIOD.0, PERIOD.1].map(|seconds| Timestamp::from_seconds(seconds).unwrap());
        let renderer = Renderer::new(first, last);
        let line = renderer.line(&ticket);
        prop_assert_eq!(String::from_utf8_lossy(&line), serde_json::to_string(&ticket).unwrap() + "\n");

        // Rendering over the remains of an earlier line, within the length limit.
        let mut used = [b'#'; MAX_LINE_BYTES + 1];
        let n_bytes = renderer.render(&ticket, &mut used);
        prop_assert_eq!(&used[..n_bytes], &line[..]);
        prop_assert_eq!(used[MAX_LINE_BYTES], b'#');
    }
}
