"""What outlives the process: one SQLAlchemy Core implementation for SQLite and PostgreSQL.

tables      what is stored
database    a connection that creates and migrates its schema by itself
sqlite      connections to SQLite files
database_file  detects that the open file was deleted or replaced
glance      one value, looked up where nothing may wait
migrate     the steps that are missing, with alembic
migrations  the steps
names       how what is kept is called
contexts    the statements on contexts
receipts    a change that was asked for twice is made once
unloaded    which models are out of service, for every process that shares the database
"""
