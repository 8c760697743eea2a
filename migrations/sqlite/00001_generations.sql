-- +goose Up

-- Instants are Unix milliseconds, UTC. Geometry is WKB in WGS-84.

-- One row for each ledger, counted up by every change: other processes look
-- here to see whether they have to read again.
CREATE TABLE ledger (
    name     TEXT    NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL CHECK (revision > 0)
) STRICT;

-- The content of generations, known by its hash and kept once.
CREATE TABLE content (
    hash     TEXT    NOT NULL PRIMARY KEY CHECK (length(hash) = 64),
    grids    INTEGER NOT NULL CHECK (grids > 0),
    greatest INTEGER NOT NULL -- greatest grid ID
) STRICT;

CREATE TABLE street (
    content  TEXT NOT NULL REFERENCES content,
    code     TEXT NOT NULL CHECK (code <> ''),
    name     TEXT NOT NULL,
    seat_lon REAL,
    seat_lat REAL,
    PRIMARY KEY (content, code),
    CHECK ((seat_lon IS NULL) = (seat_lat IS NULL))
) STRICT;

CREATE TABLE boundary (
    content         TEXT    NOT NULL REFERENCES content,
    grid            INTEGER NOT NULL CHECK (grid > 0 AND grid < 16777216),
    code            TEXT    NOT NULL CHECK (code <> ''),
    name            TEXT    NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('', 'urban', 'autonomous')),
    street          TEXT    NOT NULL,
    department      TEXT    NOT NULL,
    department_name TEXT    NOT NULL,
    area_m2         REAL    NOT NULL,
    label_lon       REAL    NOT NULL,
    label_lat       REAL    NOT NULL,
    boundary        BLOB    NOT NULL, -- MultiPolygon
    PRIMARY KEY (content, grid),
    UNIQUE (content, code)
) STRICT;

CREATE TABLE generation (
    number   INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    content  TEXT    NOT NULL REFERENCES content,
    name     TEXT    NOT NULL,
    note     TEXT    NOT NULL,
    author   TEXT    NOT NULL,
    imported INTEGER NOT NULL,
    again    INTEGER REFERENCES generation -- whose content it brings back
) STRICT;

CREATE TABLE generation_check (
    id         INTEGER NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL REFERENCES generation,
    content    TEXT    NOT NULL REFERENCES content,
    base       INTEGER REFERENCES generation,
    checked    INTEGER NOT NULL,
    checked_by TEXT    NOT NULL,
    sound      INTEGER NOT NULL CHECK (sound IN (0, 1)),
    findings   TEXT    NOT NULL CHECK (json_valid(findings))
) STRICT;

-- A generation is in force in [effective_from, effective_to), as the schedule
-- was recorded in [recorded, replaced). An open end is NULL.
CREATE TABLE term (
    id             INTEGER NOT NULL PRIMARY KEY,
    generation     INTEGER NOT NULL REFERENCES generation,
    effective_from INTEGER NOT NULL,
    effective_to   INTEGER,
    recorded       INTEGER NOT NULL,
    replaced       INTEGER,
    published_by   TEXT    NOT NULL,
    revision       INTEGER NOT NULL,
    CHECK (effective_from < effective_to),
    CHECK (recorded < replaced)
) STRICT;

CREATE TABLE lineage (
    parent          INTEGER NOT NULL REFERENCES generation,
    child           INTEGER NOT NULL REFERENCES generation,
    parent_grid     INTEGER NOT NULL, -- 0 is no grid
    child_grid      INTEGER NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('same', 'redrawn', 'split', 'merged', 'new', 'gone')),
    area_m2         REAL    NOT NULL,
    share_of_parent REAL    NOT NULL,
    share_of_child  REAL    NOT NULL,
    PRIMARY KEY (parent, child, child_grid, parent_grid)
) STRICT;

-- No two terms are in force at one time by one version of the schedule.
-- +goose StatementBegin
CREATE TRIGGER term_overlap BEFORE INSERT ON term
WHEN EXISTS (
    SELECT 1 FROM term t
    WHERE t.effective_from < coalesce(NEW.effective_to, 9223372036854775807)
      AND NEW.effective_from < coalesce(t.effective_to, 9223372036854775807)
      AND t.recorded < coalesce(NEW.replaced, 9223372036854775807)
      AND NEW.recorded < coalesce(t.replaced, 9223372036854775807))
BEGIN
    SELECT RAISE(ABORT, 'terms overlap');
END;
-- +goose StatementEnd

-- Nothing is deleted and nothing changes, but that a term is replaced once.
-- +goose StatementBegin
CREATE TRIGGER term_change BEFORE UPDATE ON term
WHEN OLD.replaced IS NOT NULL OR NEW.replaced IS NULL
  OR (NEW.id, NEW.generation, NEW.effective_from, NEW.recorded, NEW.published_by, NEW.revision)
     <> (OLD.id, OLD.generation, OLD.effective_from, OLD.recorded, OLD.published_by, OLD.revision)
  OR NEW.effective_to IS NOT OLD.effective_to
BEGIN
    SELECT RAISE(ABORT, 'terms are history');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER term_delete BEFORE DELETE ON term BEGIN SELECT RAISE(ABORT, 'terms are history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER content_change BEFORE UPDATE ON content BEGIN SELECT RAISE(ABORT, 'content is history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER content_delete BEFORE DELETE ON content BEGIN SELECT RAISE(ABORT, 'content is history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER street_change BEFORE UPDATE ON street BEGIN SELECT RAISE(ABORT, 'content is history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER street_delete BEFORE DELETE ON street BEGIN SELECT RAISE(ABORT, 'content is history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER boundary_change BEFORE UPDATE ON boundary BEGIN SELECT RAISE(ABORT, 'content is history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER boundary_delete BEFORE DELETE ON boundary BEGIN SELECT RAISE(ABORT, 'content is history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER generation_change BEFORE UPDATE ON generation BEGIN SELECT RAISE(ABORT, 'generations are history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER generation_delete BEFORE DELETE ON generation BEGIN SELECT RAISE(ABORT, 'generations are history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER generation_check_change BEFORE UPDATE ON generation_check BEGIN SELECT RAISE(ABORT, 'checks are history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER generation_check_delete BEFORE DELETE ON generation_check BEGIN SELECT RAISE(ABORT, 'checks are history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER lineage_change BEFORE UPDATE ON lineage BEGIN SELECT RAISE(ABORT, 'lineage is history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER lineage_delete BEFORE DELETE ON lineage BEGIN SELECT RAISE(ABORT, 'lineage is history'); END;
-- +goose StatementEnd
