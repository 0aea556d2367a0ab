-- Catalogue of the data lake for Amazon Athena engine version 3. deploy runs these statements. To run them by hand, replace
-- <ACCOUNT_ID> by your AWS account number, and run them one by one in this order.

-- Database.
CREATE DATABASE IF NOT EXISTS bmw_aftersales
COMMENT 'BMW after-sales support tickets';

-- Raw tickets: JSON-Lines written by generate. Times are RFC 3339 texts, because the SerDe can't parse their T and Z as
-- TIMESTAMP; from_iso8601_timestamp() converts them. A malformed line is an error instead of a row of NULLs.
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

-- Curated tickets: Snappy Parquet written by transform, one partition for each market. All times are UTC.
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

-- Registers the partitions. Run it again after a new market was added. deploy registers partitions itself and skips this.
MSCK REPAIR TABLE bmw_aftersales.tickets;

-- Tickets with durations: resolution_hours is the time from creation to resolution in hours (NULL while unresolved),
-- days_open the age of an unresolved ticket in complete days (NULL once resolved), hours_since_created the age of any ticket
-- in complete hours. Ages are as of the time of the query.
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
