"""What outlives the process: one SQLAlchemy Core implementation for SQLite and PostgreSQL.

tables      what is stored
database    a connection that creates and migrates its schema by itself
"""
