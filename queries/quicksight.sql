-- What the QuickSight data set holds, for Amazon Athena engine version 3 and, unchanged, for the embedded engine.

-- tickets
-- A row for each ticket, with what the dashboard's visuals group, filter and count. Whether a ticket is open or has missed its
-- SLA target is 1 or 0 here, so that sums count.
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
