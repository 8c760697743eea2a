-- +goose Up

-- Instants are Unix milliseconds, UTC. Geometry is WKB in WGS-84, and beside it,
-- for GIS, the same as a PostGIS column that the server derives. The extension
-- postgis is there before this runs.

-- One row for each ledger, counted up by every change: other processes look
-- here to see whether they have to read again.
CREATE TABLE ledger (
    name     text   NOT NULL PRIMARY KEY,
    revision bigint NOT NULL CHECK (revision > 0)
);

-- The content of generations, known by its hash and kept once.
CREATE TABLE content (
    hash     text   NOT NULL PRIMARY KEY CHECK (length(hash) = 64),
    grids    bigint NOT NULL CHECK (grids > 0),
    greatest bigint NOT NULL -- greatest grid ID
);

CREATE TABLE street (
    content  text NOT NULL REFERENCES content,
    code     text NOT NULL CHECK (code <> ''),
    name     text NOT NULL,
    seat_lon double precision,
    seat_lat double precision,
    seat     geometry(Point, 4326) GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(seat_lon, seat_lat), 4326)) STORED,
    PRIMARY KEY (content, code),
    CHECK ((seat_lon IS NULL) = (seat_lat IS NULL))
);
CREATE INDEX street_seat ON street USING gist (seat);

CREATE TABLE boundary (
    content         text   NOT NULL REFERENCES content,
    grid            bigint NOT NULL CHECK (grid > 0 AND grid < 16777216),
    code            text   NOT NULL CHECK (code <> ''),
    name            text   NOT NULL,
    kind            text   NOT NULL CHECK (kind IN ('', 'urban', 'autonomous')),
    street          text   NOT NULL,
    department      text   NOT NULL,
    department_name text   NOT NULL,
    area_m2         double precision NOT NULL,
    label_lon       double precision NOT NULL,
    label_lat       double precision NOT NULL,
    boundary        bytea  NOT NULL, -- MultiPolygon
    geom            geometry(MultiPolygon, 4326) GENERATED ALWAYS AS (ST_SetSRID(ST_GeomFromWKB(boundary), 4326)) STORED,
    label           geometry(Point, 4326) GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(label_lon, label_lat), 4326)) STORED,
    PRIMARY KEY (content, grid),
    UNIQUE (content, code)
);
-- WKB of coordinates hardly compresses, and is read whole and often.
ALTER TABLE boundary ALTER COLUMN boundary SET STORAGE EXTERNAL;
CREATE INDEX boundary_geom ON boundary USING gist (geom);
CREATE INDEX boundary_label ON boundary USING gist (label);

CREATE TABLE generation (
    number   bigint NOT NULL PRIMARY KEY CHECK (number > 0),
    content  text   NOT NULL REFERENCES content,
    name     text   NOT NULL,
    note     text   NOT NULL,
    author   text   NOT NULL,
    imported bigint NOT NULL,
    again    bigint REFERENCES generation -- whose content it brings back
);

CREATE TABLE generation_check (
    id         bigint  NOT NULL PRIMARY KEY,
    generation bigint  NOT NULL REFERENCES generation,
    content    text    NOT NULL REFERENCES content,
    base       bigint  REFERENCES generation,
    checked    bigint  NOT NULL,
    checked_by text    NOT NULL,
    sound      bigint  NOT NULL CHECK (sound IN (0, 1)),
    findings   text    NOT NULL CHECK (findings::json IS NOT NULL)
);

-- A generation is in force in [effective_from, effective_to), as the schedule
-- was recorded in [recorded, replaced). An open end is NULL. No two terms are in
-- force at one time by one version of the schedule.
CREATE TABLE term (
    id             bigint NOT NULL PRIMARY KEY,
    generation     bigint NOT NULL REFERENCES generation,
    effective_from bigint NOT NULL,
    effective_to   bigint,
    recorded       bigint NOT NULL,
    replaced       bigint,
    published_by   text   NOT NULL,
    revision       bigint NOT NULL,
    CHECK (effective_from < effective_to),
    CHECK (recorded < replaced),
    CONSTRAINT term_overlap EXCLUDE USING gist (
        int8range(effective_from, effective_to) WITH &&,
        int8range(recorded, replaced) WITH &&)
);

CREATE TABLE lineage (
    parent          bigint NOT NULL REFERENCES generation,
    child           bigint NOT NULL REFERENCES generation,
    parent_grid     bigint NOT NULL, -- 0 is no grid
    child_grid      bigint NOT NULL,
    kind            text   NOT NULL CHECK (kind IN ('same', 'redrawn', 'split', 'merged', 'new', 'gone')),
    area_m2         double precision NOT NULL,
    share_of_parent double precision NOT NULL,
    share_of_child  double precision NOT NULL,
    PRIMARY KEY (parent, child, child_grid, parent_grid)
);

-- Nothing is deleted and nothing changes, but that a term is replaced once.
-- +goose StatementBegin
CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is history', TG_TABLE_NAME USING ERRCODE = 'LQ001';
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION keep_term() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.replaced IS NOT NULL OR NEW.replaced IS NULL
       OR (NEW.id, NEW.generation, NEW.effective_from, NEW.effective_to, NEW.recorded, NEW.published_by, NEW.revision)
          IS DISTINCT FROM
          (OLD.id, OLD.generation, OLD.effective_from, OLD.effective_to, OLD.recorded, OLD.published_by, OLD.revision) THEN
        RAISE EXCEPTION 'term is history' USING ERRCODE = 'LQ001';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER keep BEFORE UPDATE ON term FOR EACH ROW EXECUTE FUNCTION keep_term();
CREATE TRIGGER keep_rows BEFORE DELETE ON term FOR EACH ROW EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON term EXECUTE FUNCTION keep_history();
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['content', 'street', 'boundary', 'generation', 'generation_check', 'lineage'] LOOP
        EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION keep_history()', t);
        EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I EXECUTE FUNCTION keep_history()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

-- For QGIS and SQL: live, read only.
CREATE VIEW grid_history AS
SELECT t.id * 16777216 + b.grid AS id, b.grid, b.code, b.name, b.kind, b.street, b.department, b.department_name, b.area_m2,
       t.generation, to_timestamp(t.effective_from / 1000.0) AS effective_from, to_timestamp(t.effective_to / 1000.0) AS effective_to,
       b.label, b.geom
FROM term t
JOIN generation g ON g.number = t.generation
JOIN boundary b ON b.content = g.content
WHERE t.replaced IS NULL;

CREATE VIEW current_grid AS
SELECT b.grid AS id, b.code, b.name, b.kind, b.street, s.name AS street_name, b.department, b.department_name, b.area_m2,
       t.generation, b.geom
FROM term t
JOIN generation g ON g.number = t.generation
JOIN boundary b ON b.content = g.content
LEFT JOIN street s ON s.content = b.content AND s.code = b.street
WHERE t.replaced IS NULL
  AND t.effective_from <= extract(epoch FROM now()) * 1000
  AND (t.effective_to IS NULL OR t.effective_to > extract(epoch FROM now()) * 1000);

CREATE VIEW current_street AS
SELECT row_number() OVER (ORDER BY street) AS id, street AS code, street_name AS name, count(*) AS grids, sum(area_m2) AS area_m2,
       generation, ST_Multi(ST_Union(geom))::geometry(MultiPolygon, 4326) AS geom
FROM current_grid
GROUP BY street, street_name, generation;
