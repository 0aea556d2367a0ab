select
  cast(date_trunc('week', created_at) as date) as week,
  count(*) as tickets,
  count(*) filter (where resolved_at is null) as open_tickets,
  count(*) filter (where resolved_at is not null) as closed_tickets
from {{ source('lake', 'tickets') }}
group by 1
order by 1
