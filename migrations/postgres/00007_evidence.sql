-- +goose Up

-- Photos and files that cases name as evidence; what is in them is in the
-- folder, or the object storage, of files. One that no case has claimed is
-- removed after a day.
CREATE TABLE evidence_file (
    name       text    NOT NULL PRIMARY KEY CHECK (name <> ''), -- random
    type       text    NOT NULL, -- media type
    size       bigint  NOT NULL CHECK (size > 0), -- bytes
    thumb_size bigint  NOT NULL CHECK (thumb_size >= 0), -- bytes; 0 for what is no photo
    width      integer NOT NULL, -- pixels, as it is to be seen; 0 for what is no photo
    height     integer NOT NULL,
    sha256     text    NOT NULL CHECK (length(sha256) = 64),
    taken      bigint, -- as the photo says
    sender     text    NOT NULL, -- empty for nobody who had signed in
    received   bigint  NOT NULL,
    case_id    bigint REFERENCES case_file, -- that claimed it
    shared     integer NOT NULL CHECK (shared IN (0, 1)), -- shown by any case that names it, and kept
    CHECK (shared = 0 OR case_id IS NULL)
);
CREATE INDEX evidence_file_case ON evidence_file (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX evidence_file_waiting ON evidence_file (received) WHERE case_id IS NULL AND shared = 0;
