"""What tests share: a PostgreSQL server, databases, a movable clock, the real server process, a browser."""
