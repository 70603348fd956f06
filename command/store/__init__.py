"""What outlives the process: the event log, its projections, tracks and accounts, in one database.

`database` owns the connections, `schema` the tables, `migrations` their history, `log` the event store.
"""
