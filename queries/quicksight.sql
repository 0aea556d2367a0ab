-- The QuickSight data set, for Amazon Athena engine version 3 and, unchanged, for the embedded engine.

-- tickets
-- One row per ticket, with the fields that the visuals group, filter and aggregate. is_open and is_breached are 1 or 0, so that
-- their sums are counts.
SELECT
  ticket_id,
  created_at,
  market,
  severity,
  category,
  dealer_id,
  model_series,
  model_year,
  status,
  CASE WHEN resolved_at IS NULL THEN 1 ELSE 0 END AS is_open,
  CASE WHEN sla_breached THEN 1 ELSE 0 END AS is_breached,
  resolution_hours,
  hours_since_created
FROM bmw_aftersales.tickets_enriched;
