-- Version 1 of the tables of tower-bearer-sqlx. `SqliteStore::migrate` makes them; to do so by hand, run this whole file
-- once.
CREATE TABLE tower_bearer_sessions (
    subject_tag BLOB    NOT NULL,
    session_id  BLOB    NOT NULL,
    record      BLOB    NOT NULL,  -- compared and replaced whole
    expires_at  INTEGER NOT NULL,  -- milliseconds since 1970
    rotated_at  INTEGER NOT NULL,  -- milliseconds since 1970
    live        INTEGER NOT NULL,
    PRIMARY KEY (subject_tag, session_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tower_bearer_sessions_by_expiry ON tower_bearer_sessions (expires_at);
-- One row for each version that was made.
CREATE TABLE tower_bearer_schema (version INTEGER PRIMARY KEY) STRICT;
INSERT INTO tower_bearer_schema (version) VALUES (1);
