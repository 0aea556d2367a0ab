-- Data of the dashboard page, for Amazon Athena engine version 3 and, unchanged, for the embedded engine.
--
-- Statements are independent of each other. The comment before each gives its name and a description. From these counts the
-- page computes every KPI of sample_queries.sql under any filter, as if the KPI's query had a WHERE clause with that filter.

-- cube
-- Tickets by day of opening (UTC), market, severity and category: the number of tickets, of open tickets and of missed SLA
-- targets, and the total seconds to resolution of closed tickets. A combination without tickets has no row.
SELECT
  DATE(created_at) AS day,
  market,
  severity,
  category,
  COUNT(*) AS tickets,
  COUNT(*) FILTER (WHERE resolved_at IS NULL) AS open_tickets,
  COUNT(*) FILTER (WHERE sla_breached) AS breached,
  COALESCE(SUM(date_diff('second', created_at, resolved_at)), 0) AS resolution_seconds
FROM bmw_aftersales.tickets_enriched
GROUP BY DATE(created_at), market, severity, category
ORDER BY day, market, severity, category;

-- open_p1_tickets
-- Open P1 tickets, at most 100 per day, market and category and 20,000 in total; oldest first, then by identifier. They
-- include the first 100 under any filter of these three fields.
SELECT
  ticket_id,
  created_at,
  market,
  dealer_id,
  category,
  model_series,
  model_year,
  status,
  hours_since_created,
  sla_breached
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY DATE(created_at), market, category ORDER BY created_at, ticket_id) AS place
  FROM bmw_aftersales.tickets_enriched
  WHERE severity = 'P1'
    AND resolved_at IS NULL
) AS open_p1
WHERE place <= 100
ORDER BY created_at, ticket_id
LIMIT 20000;
