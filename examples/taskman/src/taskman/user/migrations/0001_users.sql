CREATE TABLE users (
  id uuid PRIMARY KEY,
  email varchar(255) UNIQUE NOT NULL,
  username varchar(100) UNIQUE NOT NULL,
  first_name varchar(100) NOT NULL DEFAULT '',
  last_name varchar(100) NOT NULL DEFAULT '',
  avatar_url text NOT NULL DEFAULT '',
  company_id uuid NOT NULL,
  department varchar(100) NOT NULL DEFAULT '',
  location varchar(100) NOT NULL DEFAULT '',
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX idx_users_company ON users (company_id, created_at DESC, id DESC);
CREATE INDEX idx_users_email ON users (email text_pattern_ops);
CREATE INDEX idx_users_username ON users (username text_pattern_ops);
CALL isolate('users');

CREATE TABLE user_preferences (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  company_id uuid NOT NULL,
  language varchar(10) NOT NULL DEFAULT 'en',
  timezone varchar(50) NOT NULL DEFAULT 'UTC',
  theme varchar(20) NOT NULL DEFAULT 'light',
  preferences jsonb NOT NULL DEFAULT '{}'
);
CALL isolate('user_preferences');
