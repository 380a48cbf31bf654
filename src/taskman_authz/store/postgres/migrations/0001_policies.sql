-- Policies, roles and which policy is attached to which role; what has become of them, revision by
-- revision; and the events that tell of it.
--
-- company_id NULL is every company. Two roles of the cluster work here, and neither owns a table:
-- authz_service for one company at a time (the setting app.company_id), authz_platform for all.

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['authz_service', 'authz_platform'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- made meanwhile, for another database of this cluster
      END;
    END IF;
  END LOOP;
END $$;

CREATE TABLE policies (
  id uuid PRIMARY KEY,
  slug varchar(255) COLLATE "C" NOT NULL,  -- the id in documents and reasons
  name varchar(255) NOT NULL DEFAULT '',
  description text NOT NULL DEFAULT '',
  effect varchar(10) NOT NULL CHECK (effect IN ('allow', 'deny')),
  actions text[] NOT NULL CHECK (cardinality(actions) > 0),
  resources text[] NOT NULL CHECK (cardinality(resources) > 0),
  condition text CHECK (condition <> ''),
  everyone boolean NOT NULL DEFAULT false,  -- attached to every subject: roles ["*"]
  derived_roles text[] NOT NULL DEFAULT '{}',  -- attached to roles that documents define
  overridable boolean NOT NULL DEFAULT false,
  imports text[] NOT NULL DEFAULT '{}',  -- the documents whose names it uses
  lint_ignore text[] NOT NULL DEFAULT '{}',
  company_id varchar(255) COLLATE "C" CHECK (company_id <> ''),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (company_id, slug)
);
CREATE INDEX policies_by_slug ON policies (slug, id);
CREATE INDEX policies_by_company_and_time ON policies (company_id, created_at DESC);

CREATE TABLE roles (
  id uuid PRIMARY KEY,
  name varchar(255) COLLATE "C" NOT NULL,
  description text NOT NULL DEFAULT '',
  lint_ignore text[] NOT NULL DEFAULT '{}',
  company_id varchar(255) COLLATE "C" CHECK (company_id <> ''),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (company_id, name)
);
CREATE INDEX roles_by_name ON roles (name, id);
CREATE INDEX roles_by_company_and_time ON roles (company_id, created_at DESC);

CREATE TABLE role_policies (
  role_id uuid NOT NULL REFERENCES roles (id),
  policy_id uuid NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
  company_id varchar(255) COLLATE "C" CHECK (company_id <> ''),  -- that of the policy
  PRIMARY KEY (role_id, policy_id)
);
CREATE INDEX role_policies_by_policy ON role_policies (policy_id);
CREATE INDEX role_policies_by_company ON role_policies (company_id);

-- What policies use that is none: names for values, expressions and derived roles, overrides of a
-- company, and the schema (`schema.yaml`, of every company).
CREATE TABLE documents (
  id uuid PRIMARY KEY,
  name varchar(255) COLLATE "C" NOT NULL,
  content json NOT NULL,
  company_id varchar(255) COLLATE "C" CHECK (company_id <> ''),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (company_id, name)
);

-- Every write makes the next number. What it changed is enough to take it back.
CREATE TABLE revisions (
  number bigint PRIMARY KEY CHECK (number > 0),
  content_hash varchar(64) NOT NULL,
  actor varchar(255) NOT NULL,
  note text NOT NULL DEFAULT '',
  company_id varchar(255) COLLATE "C" CHECK (company_id <> ''),  -- whose writer it was
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX revisions_by_company ON revisions (company_id, number DESC);

CREATE TABLE changes (
  revision bigint NOT NULL REFERENCES revisions (number),
  position int NOT NULL,
  kind varchar(10) NOT NULL CHECK (kind IN ('policy', 'role', 'document')),
  name varchar(255) COLLATE "C" NOT NULL,
  company_id varchar(255) COLLATE "C" CHECK (company_id <> ''),  -- whose row it is
  before json,  -- NULL: it was not there
  after json,
  PRIMARY KEY (revision, position)
);
CREATE INDEX changes_by_company ON changes (company_id, revision DESC);
CREATE INDEX changes_by_row ON changes (kind, name, revision);

-- As `taskman_authz.messaging` tells it, and whose event it is.
CREATE TABLE outbox (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id uuid NOT NULL UNIQUE,
  exchange text NOT NULL,
  routing_key text NOT NULL,
  body bytea NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now(),
  told_at timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT '-infinity',
  company_id varchar(255) COLLATE "C" CHECK (company_id <> '')
);
CREATE INDEX outbox_waiting ON outbox (sequence) WHERE told_at IS NULL;

-- Whose rows the current transaction works on; NULL: nobody's.
CREATE FUNCTION current_company() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('app.company_id', true), '');

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY
    ARRAY['policies', 'roles', 'role_policies', 'documents', 'revisions', 'changes', 'outbox']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY platform ON %I TO authz_platform USING (true) WITH CHECK (true)', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['policies', 'roles', 'role_policies', 'documents', 'changes'] LOOP
    EXECUTE format(
      'CREATE POLICY company_reads ON %I FOR SELECT TO authz_service '
      'USING (company_id IS NULL OR company_id = (SELECT current_company()))', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['policies', 'roles', 'documents'] LOOP
    EXECUTE format(
      'CREATE POLICY company_updates ON %I FOR UPDATE TO authz_service '
      'USING (company_id = (SELECT current_company())) '
      'WITH CHECK (company_id = (SELECT current_company()))', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['policies', 'roles', 'role_policies', 'documents'] LOOP
    EXECUTE format(
      'CREATE POLICY company_deletes ON %I FOR DELETE TO authz_service '
      'USING (company_id = (SELECT current_company()))', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['policies', 'roles', 'documents', 'revisions', 'changes', 'outbox']
  LOOP
    EXECUTE format(
      'CREATE POLICY company_inserts ON %I FOR INSERT TO authz_service '
      'WITH CHECK (company_id = (SELECT current_company()))', name);
  END LOOP;
END $$;

-- A foreign key sees every row; this lets a company attach its policies to roles that it sees only.
CREATE POLICY company_inserts ON role_policies FOR INSERT TO authz_service WITH CHECK (
  company_id = (SELECT current_company())
  AND EXISTS (SELECT FROM roles WHERE roles.id = role_id)
  AND EXISTS (
    SELECT FROM policies
    WHERE policies.id = policy_id AND policies.company_id = (SELECT current_company()))
);

-- A company sees the revisions in which something changed that it sees.
CREATE POLICY company_reads ON revisions FOR SELECT TO authz_service USING (
  company_id = (SELECT current_company())
  OR EXISTS (SELECT FROM changes WHERE changes.revision = number)
);

-- What was is not rewritten.
GRANT SELECT, INSERT, UPDATE, DELETE ON policies, roles, role_policies, documents
  TO authz_service, authz_platform;
GRANT SELECT, INSERT ON revisions, changes TO authz_service, authz_platform;
GRANT INSERT ON outbox TO authz_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO authz_platform;
