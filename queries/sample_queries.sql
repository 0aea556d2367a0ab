-- The ten KPIs of after-sales support, for Amazon Athena engine version 3 and, unchanged, for the embedded engine.
--
-- Statements are independent of each other: select one and run it. The comment before each gives its number and name, then its
-- rows and their order. A ticket is open while it has no resolution (Open, In Progress, Waiting) and closed from then on (Resolved,
-- Closed). Days and weeks are UTC.

-- 1. daily_volume
-- Tickets opened on each of the last 30 complete days; oldest day first. A day without tickets has no row.
SELECT
  DATE(created_at) AS day,
  COUNT(*) AS tickets
FROM bmw_aftersales.tickets_enriched
WHERE created_at >= current_date - INTERVAL '30' DAY
  AND created_at < current_date
GROUP BY DATE(created_at)
ORDER BY day;

-- 2. severity_distribution
-- Tickets by severity, and their percentage of all tickets; P1 first.
SELECT
  severity,
  COUNT(*) AS tickets,
  ROUND(CAST(COUNT(*) AS DOUBLE) * 100 / SUM(COUNT(*)) OVER (), 2) AS percentage
FROM bmw_aftersales.tickets_enriched
GROUP BY severity
ORDER BY severity;

-- 3. sla_breach_rate
-- Percentage of tickets that missed their SLA target (P1 4 h, P2 8 h, P3 48 h, P4 120 h), resolved too late or still open
-- past it; overall first, then by severity, P1 first.
SELECT
  COALESCE(severity, 'All') AS severity,
  COUNT(*) AS tickets,
  COUNT(*) FILTER (WHERE sla_breached) AS breached,
  ROUND(CAST(COUNT(*) FILTER (WHERE sla_breached) AS DOUBLE) * 100 / COUNT(*), 2) AS breach_percentage
FROM bmw_aftersales.tickets_enriched
GROUP BY ROLLUP (severity)
ORDER BY 1;

-- 4. resolution_time_by_severity
-- Hours to resolution of resolved tickets by severity: mean, median and 95th percentile; P1 first.
SELECT
  severity,
  COUNT(*) AS resolved_tickets,
  ROUND(AVG(date_diff('second', created_at, resolved_at)) / 3600, 2) AS mean_hours,
  ROUND(approx_percentile(resolution_hours, 0.5), 2) AS median_hours,
  ROUND(approx_percentile(resolution_hours, 0.95), 2) AS p95_hours
FROM bmw_aftersales.tickets_enriched
WHERE resolved_at IS NOT NULL
GROUP BY severity
ORDER BY severity;

-- 5. tickets_by_market
-- Tickets by market, and their percentage of all tickets; most tickets first, then by market.
SELECT
  market,
  COUNT(*) AS tickets,
  ROUND(CAST(COUNT(*) AS DOUBLE) * 100 / SUM(COUNT(*)) OVER (), 2) AS percentage
FROM bmw_aftersales.tickets_enriched
GROUP BY market
ORDER BY tickets DESC, market;

-- 6. top_categories
-- The five categories with most tickets, and their percentage of all tickets; most tickets first, then by category.
SELECT
  category,
  COUNT(*) AS tickets,
  ROUND(CAST(COUNT(*) AS DOUBLE) * 100 / SUM(COUNT(*)) OVER (), 2) AS percentage
FROM bmw_aftersales.tickets_enriched
GROUP BY category
ORDER BY tickets DESC, category
LIMIT 5;

-- 7. open_tickets_by_age
-- Open tickets by age in complete days since they were opened; youngest first. A bucket without tickets has no row.
SELECT
  CASE
    WHEN days_open <= 1 THEN '0-1 days'
    WHEN days_open <= 3 THEN '2-3 days'
    WHEN days_open <= 7 THEN '4-7 days'
    ELSE 'over 7 days'
  END AS age_bucket,
  COUNT(*) AS tickets
FROM bmw_aftersales.tickets_enriched
WHERE resolved_at IS NULL
GROUP BY 1
ORDER BY MIN(days_open);

-- 8. market_by_severity
-- Tickets by market and severity; most tickets first, then by market.
SELECT
  market,
  COUNT(*) FILTER (WHERE severity = 'P1') AS p1,
  COUNT(*) FILTER (WHERE severity = 'P2') AS p2,
  COUNT(*) FILTER (WHERE severity = 'P3') AS p3,
  COUNT(*) FILTER (WHERE severity = 'P4') AS p4,
  COUNT(*) AS tickets
FROM bmw_aftersales.tickets_enriched
GROUP BY market
ORDER BY tickets DESC, market;

-- 9. weekly_open_vs_closed
-- Open and closed tickets by week of opening; oldest week first. A week is named by its Monday.
SELECT
  DATE(date_trunc('week', created_at)) AS week,
  COUNT(*) AS tickets,
  COUNT(*) FILTER (WHERE resolved_at IS NULL) AS open_tickets,
  COUNT(*) FILTER (WHERE resolved_at IS NOT NULL) AS closed_tickets
FROM bmw_aftersales.tickets_enriched
GROUP BY DATE(date_trunc('week', created_at))
ORDER BY week;

-- 10. open_p1_tickets
-- Open P1 tickets, at most 100, and their total number; oldest first, then by identifier.
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
  sla_breached,
  COUNT(*) OVER () AS open_p1_total
FROM bmw_aftersales.tickets_enriched
WHERE severity = 'P1'
  AND resolved_at IS NULL
ORDER BY created_at, ticket_id
LIMIT 100;
