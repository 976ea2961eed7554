-- Version 1 of the tables of tower-bearer-sqlx. `PostgresStore::migrate` makes them; to do so by hand, run this whole
-- file once. The schema that it runs in has to be on the search_path of the service.
CREATE TABLE tower_bearer_sessions (
    subject_tag BYTEA   NOT NULL,
    session_id  BYTEA   NOT NULL,
    record      BYTEA   NOT NULL,  -- compared and replaced whole
    expires_at  BIGINT  NOT NULL,  -- milliseconds since 1970
    rotated_at  BIGINT  NOT NULL,  -- milliseconds since 1970
    live        BOOLEAN NOT NULL,
    PRIMARY KEY (subject_tag, session_id)
) WITH (fillfactor = 80);          -- a rotation writes the row anew: best on the page where it was
CREATE INDEX tower_bearer_sessions_by_expiry ON tower_bearer_sessions (expires_at);
-- One row for each version that was made.
CREATE TABLE tower_bearer_schema (version INTEGER PRIMARY KEY);
INSERT INTO tower_bearer_schema (version) VALUES (1);
