-- A partition a month, so that what is too old goes at once; `keep_partitions` makes them. By when
-- an event was written down, which grows along a trail, and not by when it happened, which need not:
-- what goes is then always the beginning of a trail.
CREATE TABLE audit_events (
  id uuid NOT NULL,
  event_type varchar(100) NOT NULL,
  actor_id uuid,
  actor_email varchar(255) NOT NULL DEFAULT '',
  target_type varchar(100) NOT NULL DEFAULT '',
  target_id varchar(255) NOT NULL DEFAULT '',
  company_id uuid NOT NULL,  -- 00000000-…: of none
  action varchar(100) NOT NULL,
  result varchar(50) NOT NULL,  -- success, failure
  ip_address varchar(50) NOT NULL DEFAULT '',
  user_agent text NOT NULL DEFAULT '',
  metadata jsonb NOT NULL DEFAULT '{}',
  timestamp timestamptz NOT NULL,
  sequence bigint NOT NULL,
  previous_hash char(64) NOT NULL,
  hash char(64) NOT NULL,
  recorded_at timestamptz NOT NULL,
  PRIMARY KEY (id, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX idx_audit_company_time ON audit_events (company_id, timestamp DESC, id DESC);
CREATE INDEX idx_audit_actor_time ON audit_events (actor_id, timestamp DESC);
CREATE INDEX idx_audit_type_time ON audit_events (event_type, timestamp DESC);
CREATE INDEX idx_audit_company_sequence ON audit_events (company_id, sequence);
CREATE TABLE audit_events_other PARTITION OF audit_events DEFAULT;
CALL isolate('audit_events');
-- Nobody changes what happened: there are no grants for it.
REVOKE UPDATE, DELETE ON audit_events FROM taskman_service, taskman_platform;

-- Where the trail of a company ends.
CREATE TABLE audit_trails (
  company_id uuid PRIMARY KEY,
  sequence bigint NOT NULL,
  hash char(64) NOT NULL,
  recorded_at timestamptz NOT NULL
);
CALL isolate('audit_trails');
REVOKE DELETE ON audit_trails FROM taskman_service, taskman_platform;

-- Make the partitions of this month and the next, and drop those that ended before a time.
-- Those who call it own no table: it runs as who does.
CREATE FUNCTION keep_partitions(oldest timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
  begins date;
  name text;
  dropped int := 0;
BEGIN
  FOR i IN 0..1 LOOP
    begins := month + make_interval(months => i);
    name := 'audit_events_' || to_char(begins, 'YYYY_MM');
    IF to_regclass(name) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF audit_events FOR VALUES FROM (%L) TO (%L)',
        name, begins || ' 00:00:00+00', (begins + interval '1 month')::date || ' 00:00:00+00');
    END IF;
  END LOOP;
  FOR name IN
    SELECT inhrelid::regclass::text FROM pg_inherits
    WHERE inhparent = 'audit_events'::regclass
      AND inhrelid::regclass::text ~ '^audit_events_\d{4}_\d{2}$'
  LOOP
    IF to_date(right(name, 7), 'YYYY_MM') + interval '1 month' <= oldest AT TIME ZONE 'UTC' THEN
      EXECUTE format('DROP TABLE %I', name);
      dropped := dropped + 1;
    END IF;
  END LOOP;
  RETURN dropped;
END
$$;
REVOKE ALL ON FUNCTION keep_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_partitions TO taskman_platform;
