"""The database: what must survive the process, in a SQLite file or on PostgreSQL. `engine.open_store` is its door."""
