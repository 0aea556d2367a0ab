-- The data lake's catalogue for Amazon Athena engine version 3.
--
-- Replace <ACCOUNT_ID> by your AWS account number, then run the statements one by one, in this order.

-- The database.
CREATE DATABASE IF NOT EXISTS bmw_aftersales
COMMENT 'BMW after-sales support tickets';

-- The raw tickets: JSON-Lines as generate writes them. Times are RFC 3339 texts here (the SerDe would not read their T and
-- Z as a TIMESTAMP); from_iso8601_timestamp() turns them into times. A malformed line is an error, never a row of NULLs.
CREATE EXTERNAL TABLE IF NOT EXISTS bmw_aftersales.tickets_raw (
  ticket_id STRING,
  created_at STRING,
  updated_at STRING,
  resolved_at STRING,
  severity STRING,
  status STRING,
  category STRING,
  channel STRING,
  market STRING,
  dealer_id STRING,
  customer_id STRING,
  vin_last6 STRING,
  model_series STRING,
  model_year INT,
  sla_breached BOOLEAN
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'false')
LOCATION 's3://bmw-aftersales-raw-<ACCOUNT_ID>/tickets/';

-- The curated tickets: Snappy Parquet as transform writes it, one partition a market. All times are UTC.
CREATE EXTERNAL TABLE IF NOT EXISTS bmw_aftersales.tickets (
  ticket_id STRING,
  created_at TIMESTAMP,
  updated_at TIMESTAMP,
  resolved_at TIMESTAMP,
  severity STRING,
  status STRING,
  category STRING,
  channel STRING,
  dealer_id STRING,
  customer_id STRING,
  vin_last6 STRING,
  model_series STRING,
  model_year INT,
  sla_breached BOOLEAN
)
PARTITIONED BY (market STRING)
STORED AS PARQUET
LOCATION 's3://bmw-aftersales-curated-<ACCOUNT_ID>/tickets/'
TBLPROPERTIES ('parquet.compression' = 'SNAPPY');

-- Finds the partitions. Run it again when a market is new.
MSCK REPAIR TABLE bmw_aftersales.tickets;

-- The tickets with their durations, which depend on when they are asked for: resolution_hours is the time from creation to
-- resolution in hours (NULL while unresolved), days_open the age of an unresolved ticket in complete days (NULL once
-- resolved), hours_since_created the age of any ticket in complete hours.
CREATE OR REPLACE VIEW bmw_aftersales.tickets_enriched AS
SELECT
  ticket_id,
  created_at,
  updated_at,
  resolved_at,
  severity,
  status,
  category,
  channel,
  market,
  dealer_id,
  customer_id,
  vin_last6,
  model_series,
  model_year,
  sla_breached,
  CAST(date_diff('second', created_at, resolved_at) AS DOUBLE) / 3600 AS resolution_hours,
  CASE WHEN resolved_at IS NULL THEN date_diff('day', created_at, current_timestamp) END AS days_open,
  date_diff('hour', created_at, current_timestamp) AS hours_since_created
FROM bmw_aftersales.tickets;
