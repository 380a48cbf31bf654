CREATE TABLE second_factors (
  user_id uuid PRIMARY KEY,
  company_id uuid NOT NULL,
  secret text NOT NULL,  -- encrypted
  is_confirmed boolean NOT NULL DEFAULT false,
  last_step bigint NOT NULL DEFAULT 0,  -- of the last code that was taken
  created_at timestamptz NOT NULL DEFAULT now()
);
CALL isolate('second_factors');

ALTER TABLE sessions ADD COLUMN mfa boolean NOT NULL DEFAULT false;
