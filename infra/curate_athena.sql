-- Curation of the raw tickets on Amazon Athena engine version 3. `deploy --curate athena` runs these statements with
-- <ACCOUNT_ID>, <FILES>, <FROM> and <BEFORE> filled in.
--
-- They accept and reject the same lines as transform, with these exceptions:
-- * accepted: bytes that are not UTF-8 (replaced by U+FFFD), times before the year 1 or after 9999, and times in the wrong
--   order within a millisecond
-- * rejected: offsets from UTC beyond 14 hours, fractions of seconds with more than nine digits, a duplicate key that is not
--   in the contract, and a first line after a byte order mark
-- * A carriage return within a line ends the line, so the row counts don't reconcile and nothing is published.

-- Raw lines as text. A JSON SerDe is too lenient: it accepts unquoted texts and ignores text after the object. This SerDe
-- ignores text after the byte 01, which no valid JSON contains.
CREATE EXTERNAL TABLE bmw_aftersales.tickets_raw_lines (
  line STRING
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'
LOCATION 's3://bmw-aftersales-raw-<ACCOUNT_ID>/tickets/';

-- Staging table with the definition of the table `tickets`. Its files are published once the row counts reconcile.
CREATE EXTERNAL TABLE bmw_aftersales.tickets_curating (
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
LOCATION 's3://bmw-aftersales-curated-<ACCOUNT_ID>/curating/'
TBLPROPERTIES ('parquet.compression' = 'SNAPPY');

-- All lines except blank ones, with their values and the reason for rejection: the first rule of the contract that the line
-- violates. A value of the wrong type is NULL, which violates its rule.
CREATE OR REPLACE VIEW bmw_aftersales.tickets_checked AS
WITH lines AS (
  -- fields is NULL unless the line is a valid JSON object without duplicate keys. The SerDe reads the line \N as NULL.
  SELECT "$path" AS path, line, TRY(CAST(json_parse(line) AS MAP(VARCHAR, JSON))) AS fields
  FROM bmw_aftersales.tickets_raw_lines
  WHERE line IS NULL OR regexp_like(line, '[^ \t\r]')
),
texts AS (
  -- json_extract_scalar converts numbers to text. Columns that accept any text check that the JSON starts with a quote.
  SELECT
    path,
    line,
    fields,
    lower(json_extract_scalar(element_at(fields, 'ticket_id'), '$')) AS ticket_id,
    upper(json_extract_scalar(element_at(fields, 'created_at'), '$')) AS created_at,
    upper(json_extract_scalar(element_at(fields, 'updated_at'), '$')) AS updated_at,
    upper(json_extract_scalar(element_at(fields, 'resolved_at'), '$')) AS resolved_at,
    json_extract_scalar(element_at(fields, 'severity'), '$') AS severity,
    json_extract_scalar(element_at(fields, 'status'), '$') AS status,
    json_extract_scalar(element_at(fields, 'category'), '$') AS category,
    json_extract_scalar(element_at(fields, 'channel'), '$') AS channel,
    json_extract_scalar(element_at(fields, 'market'), '$') AS market,
    IF(json_format(element_at(fields, 'dealer_id')) LIKE '"%',
      json_extract_scalar(element_at(fields, 'dealer_id'), '$')) AS dealer_id,
    IF(json_format(element_at(fields, 'customer_id')) LIKE '"%',
      json_extract_scalar(element_at(fields, 'customer_id'), '$')) AS customer_id,
    IF(json_format(element_at(fields, 'vin_last6')) LIKE '"%',
      json_extract_scalar(element_at(fields, 'vin_last6'), '$')) AS vin_last6,
    IF(json_format(element_at(fields, 'model_series')) LIKE '"%',
      json_extract_scalar(element_at(fields, 'model_series'), '$')) AS model_series,
    json_format(element_at(fields, 'model_year')) AS model_year,
    json_format(element_at(fields, 'sla_breached')) AS sla_breached
  FROM lines
),
timestamps AS (
  -- The pattern selects the RFC 3339 subset of ISO 8601.
  SELECT
    *,
    IF(regexp_like(created_at,
      '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$'),
      CAST(TRY(from_iso8601_timestamp(created_at)) AT TIME ZONE 'UTC' AS TIMESTAMP(3))) AS created,
    IF(regexp_like(updated_at,
      '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$'),
      CAST(TRY(from_iso8601_timestamp(updated_at)) AT TIME ZONE 'UTC' AS TIMESTAMP(3))) AS updated,
    IF(regexp_like(resolved_at,
      '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$'),
      CAST(TRY(from_iso8601_timestamp(resolved_at)) AT TIME ZONE 'UTC' AS TIMESTAMP(3))) AS resolved
  FROM texts
)
SELECT
  path,
  line,
  COALESCE(
    IF(fields IS NOT NULL, NULL, 'the line is not a JSON object with each key once'),
    IF(length(ticket_id) = 36 AND
      regexp_like(ticket_id, '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'), NULL,
      'ticket_id is not a hyphenated UUID'),
    IF(created IS NOT NULL, NULL, 'created_at is not an RFC 3339 time'),
    IF(updated IS NOT NULL, NULL, 'updated_at is not an RFC 3339 time'),
    IF(resolved IS NOT NULL OR (
      contains(map_keys(fields), 'resolved_at') AND COALESCE(json_format(element_at(fields, 'resolved_at')), 'null') = 'null'
    ), NULL, 'resolved_at is neither null nor an RFC 3339 time'),
    IF(severity IN ('P1', 'P2', 'P3', 'P4'), NULL, 'severity is not one of the contract''s values'),
    IF(status IN ('Open', 'In Progress', 'Waiting', 'Resolved', 'Closed'), NULL,
      'status is not one of the contract''s values'),
    IF(category IN (
      'Engine', 'Electrical', 'iDrive', 'Brake', 'Recall', 'Suspension', 'Climate', 'Bodywork', 'Warranty', 'Other'
    ), NULL, 'category is not one of the contract''s values'),
    IF(channel IN ('Phone', 'Email', 'Dealer Portal', 'BMW App', 'Walk-In'), NULL,
      'channel is not one of the contract''s values'),
    IF(market IN (
      'AD', 'AE', 'AF', 'AG', 'AI', 'AL', 'AM', 'AO', 'AQ', 'AR', 'AS', 'AT', 'AU', 'AW', 'AX', 'AZ', 'BA', 'BB',
      'BD', 'BE', 'BF', 'BG', 'BH', 'BI', 'BJ', 'BL', 'BM', 'BN', 'BO', 'BQ', 'BR', 'BS', 'BT', 'BV', 'BW', 'BY',
      'BZ', 'CA', 'CC', 'CD', 'CF', 'CG', 'CH', 'CI', 'CK', 'CL', 'CM', 'CN', 'CO', 'CR', 'CU', 'CV', 'CW', 'CX',
      'CY', 'CZ', 'DE', 'DJ', 'DK', 'DM', 'DO', 'DZ', 'EC', 'EE', 'EG', 'EH', 'ER', 'ES', 'ET', 'FI', 'FJ', 'FK',
      'FM', 'FO', 'FR', 'GA', 'GB', 'GD', 'GE', 'GF', 'GG', 'GH', 'GI', 'GL', 'GM', 'GN', 'GP', 'GQ', 'GR', 'GS',
      'GT', 'GU', 'GW', 'GY', 'HK', 'HM', 'HN', 'HR', 'HT', 'HU', 'ID', 'IE', 'IL', 'IM', 'IN', 'IO', 'IQ', 'IR',
      'IS', 'IT', 'JE', 'JM', 'JO', 'JP', 'KE', 'KG', 'KH', 'KI', 'KM', 'KN', 'KP', 'KR', 'KW', 'KY', 'KZ', 'LA',
      'LB', 'LC', 'LI', 'LK', 'LR', 'LS', 'LT', 'LU', 'LV', 'LY', 'MA', 'MC', 'MD', 'ME', 'MF', 'MG', 'MH', 'MK',
      'ML', 'MM', 'MN', 'MO', 'MP', 'MQ', 'MR', 'MS', 'MT', 'MU', 'MV', 'MW', 'MX', 'MY', 'MZ', 'NA', 'NC', 'NE',
      'NF', 'NG', 'NI', 'NL', 'NO', 'NP', 'NR', 'NU', 'NZ', 'OM', 'PA', 'PE', 'PF', 'PG', 'PH', 'PK', 'PL', 'PM',
      'PN', 'PR', 'PS', 'PT', 'PW', 'PY', 'QA', 'RE', 'RO', 'RS', 'RU', 'RW', 'SA', 'SB', 'SC', 'SD', 'SE', 'SG',
      'SH', 'SI', 'SJ', 'SK', 'SL', 'SM', 'SN', 'SO', 'SR', 'SS', 'ST', 'SV', 'SX', 'SY', 'SZ', 'TC', 'TD', 'TF',
      'TG', 'TH', 'TJ', 'TK', 'TL', 'TM', 'TN', 'TO', 'TR', 'TT', 'TV', 'TW', 'TZ', 'UA', 'UG', 'UM', 'US', 'UY',
      'UZ', 'VA', 'VC', 'VE', 'VG', 'VI', 'VN', 'VU', 'WF', 'WS', 'YE', 'YT', 'ZA', 'ZM', 'ZW'
    ), NULL, 'market is not an ISO 3166-1 alpha-2 code'),
    IF(length(to_utf8(dealer_id)) BETWEEN 1 AND 255, NULL, 'dealer_id is not a text of 1 to 255 bytes'),
    IF(length(to_utf8(customer_id)) BETWEEN 1 AND 255, NULL, 'customer_id is not a text of 1 to 255 bytes'),
    IF(length(to_utf8(vin_last6)) BETWEEN 1 AND 255, NULL, 'vin_last6 is not a text of 1 to 255 bytes'),
    IF(length(to_utf8(model_series)) BETWEEN 1 AND 255, NULL, 'model_series is not a text of 1 to 255 bytes'),
    IF(regexp_like(model_year, '^-?[0-9]+$') AND TRY_CAST(model_year AS INTEGER) IS NOT NULL, NULL,
      'model_year is not a 32-bit integer'),
    IF(sla_breached IN ('true', 'false'), NULL, 'sla_breached is not true or false'),
    IF(created <= updated, NULL, 'updated_at is before created_at'),
    IF((resolved IS NOT NULL) = (status IN ('Resolved', 'Closed')), NULL, 'resolved_at does not match the status'),
    IF(resolved IS NULL OR resolved BETWEEN created AND updated, NULL,
      'resolved_at is not between created_at and updated_at')
  ) AS reason,
  ticket_id,
  created AS created_at,
  updated AS updated_at,
  resolved AS resolved_at,
  severity,
  status,
  category,
  channel,
  market,
  dealer_id,
  customer_id,
  vin_last6,
  model_series,
  TRY_CAST(model_year AS INTEGER) AS model_year,
  sla_breached = 'true' AS sla_breached
FROM timestamps;

-- Inserts the valid tickets of a batch of files (<FILES> is a list of S3 URIs, as in 's3://…/a.jsonl', 's3://…/b.jsonl')
-- whose market is in the half-open range from <FROM> to <BEFORE>. The range limits the partitions of a statement to 100.
INSERT INTO bmw_aftersales.tickets_curating
SELECT
  ticket_id,
  created_at,
  updated_at,
  resolved_at,
  severity,
  status,
  category,
  channel,
  dealer_id,
  customer_id,
  vin_last6,
  model_series,
  model_year,
  sla_breached,
  market
FROM bmw_aftersales.tickets_checked
WHERE reason IS NULL AND path IN (<FILES>) AND market >= '<FROM>' AND market < '<BEFORE>';

-- Returns the written files with their numbers of tickets.
SELECT market, "$path" AS path, COUNT(*) AS tickets
FROM bmw_aftersales.tickets_curating
GROUP BY market, "$path";

-- Returns the rejected lines of a batch of files by reason, with an example each.
SELECT path, reason, COUNT(*) AS lines, MIN(substr(line, 1, 100)) AS example
FROM bmw_aftersales.tickets_checked
WHERE reason IS NOT NULL AND path IN (<FILES>)
GROUP BY path, reason
ORDER BY path, reason;
