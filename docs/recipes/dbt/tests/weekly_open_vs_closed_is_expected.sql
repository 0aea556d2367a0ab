-- The rows that differ from the answer that `generate` counted: none, or the test fails.
with expected as (
  select
    cast(answer ->> 0 as date) as week,
    cast(answer ->> 1 as bigint) as tickets,
    cast(answer ->> 2 as bigint) as open_tickets,
    cast(answer ->> 3 as bigint) as closed_tickets
  from (
    select unnest(cast(expected_answers -> 'weekly_open_vs_closed' -> 'rows' as json[])) as answer
    from read_json('{{ env_var("DATA", "data") }}/curated/_manifest.json', columns = {expected_answers: 'JSON'})
  )
)
(select * from expected except all select * from {{ ref('weekly_open_vs_closed') }})
union all
(select * from {{ ref('weekly_open_vs_closed') }} except all select * from expected)
