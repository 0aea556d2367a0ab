-- What the dashboard's page carries, for Amazon Athena engine version 3 and, unchanged, for the embedded engine.
--
-- Each statement stands alone, and its comment gives its name, then what it answers. From these counts the page works out
-- every KPI of sample_queries.sql under any filter, as if the KPI's query had a WHERE with that filter.

-- cube
-- The tickets of each day of opening (UTC), market, severity and category: how many there are, how many of them are open,
-- how many have missed their SLA target, and how many seconds those that are closed took together to be resolved. A
-- combination without tickets has no row.
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
-- The open critical tickets, at most 100 for each day, market and category; oldest first, then by identifier. The first 100
-- under any filter of these three are among them. Of more than 20,000 the later ones are left out.
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
