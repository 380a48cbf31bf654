-- Two roles of the cluster that own nothing. Services of one cluster share them, and may migrate at
-- the same time.
DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['taskman_service', 'taskman_platform'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;
    END;
    EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
  END LOOP;
END
$$;

-- The company that a transaction works for; NULL where it works for none.
CREATE FUNCTION current_company() RETURNS uuid LANGUAGE sql STABLE AS
  $$ SELECT nullif(current_setting('app.company_id', true), '')::uuid $$;

-- Isolate a table that has a column `company_id`: a service sees and writes its company's rows.
CREATE PROCEDURE isolate(isolated regclass) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', isolated);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', isolated);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO taskman_service, taskman_platform',
    isolated);
  EXECUTE format('CREATE POLICY one_company ON %s TO taskman_service'
    ' USING (company_id = current_company()) WITH CHECK (company_id = current_company())', isolated);
  EXECUTE format('CREATE POLICY all_companies ON %s TO taskman_platform'
    ' USING (true) WITH CHECK (true)', isolated);
END
$$;

-- Outbox and inbox of taskman_authz.messaging.postgres.
CREATE TABLE outbox (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id uuid NOT NULL UNIQUE,
  exchange text NOT NULL,
  routing_key text NOT NULL,
  body bytea NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now(),
  told_at timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE INDEX outbox_waiting ON outbox (sequence) WHERE told_at IS NULL;
CREATE TABLE inbox (
  consumer text NOT NULL,
  id text NOT NULL,
  handled_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, id)
);
GRANT INSERT ON outbox TO taskman_service;  -- what one company tells, another does not read
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO taskman_platform;
GRANT SELECT, INSERT ON inbox TO taskman_service;
GRANT SELECT, INSERT, DELETE ON inbox TO taskman_platform;
