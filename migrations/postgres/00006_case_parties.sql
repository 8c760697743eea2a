-- +goose Up

-- The departments that take part in an open case beside the one that leads:
-- in support, or in a joint duty.
CREATE TABLE case_party (
    case_id    bigint NOT NULL REFERENCES case_file,
    department text   NOT NULL CHECK (department <> ''), -- code
    PRIMARY KEY (case_id, department)
);
CREATE INDEX case_party_department ON case_party (department, case_id);
