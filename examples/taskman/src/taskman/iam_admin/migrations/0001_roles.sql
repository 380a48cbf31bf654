-- A role is known by its name, as policies name it.
CREATE TABLE user_roles (
  user_id uuid NOT NULL,
  role varchar(255) NOT NULL,
  company_id uuid NOT NULL,
  assigned_by varchar(255) NOT NULL,
  assigned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz,
  PRIMARY KEY (company_id, user_id, role)
);
CREATE INDEX idx_user_roles_expires ON user_roles (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX idx_user_roles_role ON user_roles (company_id, role);
CALL isolate('user_roles');

-- How often somebody's roles have changed: who is told of changes tells by it which is newer.
CREATE TABLE role_versions (
  user_id uuid NOT NULL,
  company_id uuid NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (company_id, user_id)
);
CALL isolate('role_versions');
