-- +goose Up

-- How long units were in each grid within an hour, all together: kept for good,
-- when tracks are long gone. Hours count from the Unix epoch. Every change
-- counts up the ledger 'patrol-hours', whose number it keeps.
CREATE TABLE patrol_hour (
    hour   bigint NOT NULL PRIMARY KEY,
    change bigint NOT NULL,
    grids  bytea NOT NULL -- for each grid in which somebody was, by ID: how much greater its ID is than the last one's, and the seconds, as varints
);
CREATE INDEX patrol_hour_change ON patrol_hour (change);

-- The hours whose fixes changed, and how often; and how often they had when
-- they were last reckoned.
CREATE TABLE patrol_hour_mark (
    hour     bigint NOT NULL PRIMARY KEY,
    mark     bigint NOT NULL,
    reckoned bigint NOT NULL,
    CHECK (reckoned <= mark)
) WITH (fillfactor = 50);
