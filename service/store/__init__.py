"""The database: one SQLAlchemy Core implementation for SQLite and PostgreSQL.

tables         the tables
database       a connection that creates and migrates its schema
postgresql     connections to PostgreSQL, also through a pooler
inspection     looks at a database without changing it
notices        notices of changed contexts between processes, on PostgreSQL
availability   whether the database answers
sqlite         SQLite files: connections, and whether the open file was deleted or replaced
refusals       messages of databases that are full, read-only or changed by hand
nonblocking    reads one value without waiting
migrate        runs missing migrations with alembic
migrations     the migrations
ids            ids of rows
"""
