-- +goose Up

-- When a case that is not open ended, Unix ms: with when it came in, that is
-- when it was open. It is not known of what ended before this column was there.
ALTER TABLE case_file ADD COLUMN ended bigint;
CREATE INDEX case_file_ended ON case_file (ended, received) WHERE is_open = 0;
