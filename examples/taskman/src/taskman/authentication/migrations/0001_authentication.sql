CREATE TABLE credentials (
  user_id uuid PRIMARY KEY,
  company_id uuid NOT NULL,
  password varchar(100) NOT NULL,  -- bcrypt
  updated_at timestamptz NOT NULL DEFAULT now()
);
CALL isolate('credentials');

CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL,
  company_id uuid NOT NULL,
  email varchar(255) NOT NULL,
  refresh_token varchar(512) NOT NULL,  -- its SHA-256
  ip_address inet,
  user_agent text NOT NULL DEFAULT '',
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_sessions_user_id ON sessions (user_id);
CREATE INDEX idx_sessions_expires ON sessions (expires_at);
CALL isolate('sessions');

-- Refresh tokens that a session had before: who brings one has stolen it, or was stolen from.
CREATE TABLE used_refresh_tokens (
  token varchar(512) PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  company_id uuid NOT NULL
);
CREATE INDEX idx_used_refresh_tokens_session ON used_refresh_tokens (session_id);
CALL isolate('used_refresh_tokens');

CREATE TABLE password_resets (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL,
  company_id uuid NOT NULL,
  email varchar(255) NOT NULL,
  token varchar(512) NOT NULL UNIQUE,  -- its SHA-256
  expires_at timestamptz NOT NULL,
  used boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_password_resets_user ON password_resets (user_id);
CALL isolate('password_resets');

-- Who holds which role, as IAM told it; the newest version counts.
CREATE TABLE held_roles (
  user_id uuid NOT NULL,
  company_id uuid NOT NULL,
  version bigint NOT NULL,
  roles jsonb NOT NULL,  -- [{"name": ..., "expires_at": ...}]
  PRIMARY KEY (company_id, user_id)
);
CALL isolate('held_roles');

-- Of no company: who fails is not known to be of one.
CREATE TABLE failures (
  key varchar(100) PRIMARY KEY,
  count int NOT NULL,
  since timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON failures TO taskman_platform;

CREATE TABLE signing_keys (
  id uuid PRIMARY KEY,
  private_key text NOT NULL,  -- PEM, encrypted
  signs_from timestamptz NOT NULL,
  verifies_until timestamptz NOT NULL
);
GRANT SELECT, INSERT, DELETE ON signing_keys TO taskman_platform;
