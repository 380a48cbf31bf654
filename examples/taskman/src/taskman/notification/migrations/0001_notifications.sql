-- Texts with variables: `[{"name": "link", "secret": true}]`. Without a company: everybody's.
CREATE TABLE notification_templates (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name varchar(255) NOT NULL,
  type varchar(50) NOT NULL CHECK (type IN ('email', 'push')),
  subject varchar(500) NOT NULL,
  body text NOT NULL,
  variables jsonb NOT NULL DEFAULT '[]',
  company_id uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE NULLS NOT DISTINCT (company_id, name)
);
CALL isolate('notification_templates');
CREATE POLICY of_every_company ON notification_templates FOR SELECT TO taskman_service
  USING (company_id IS NULL);

INSERT INTO notification_templates (name, type, subject, body, variables) VALUES
('welcome', 'email', 'Welcome to TaskMan, {{ username }}',
 E'Hello {{ username }},\n\nyou have an account now. Set a password at {{ link }}.\n',
 '[{"name": "username"}, {"name": "link"}]'),
('password-reset', 'email', 'Set your password',
 E'Hello {{ username }},\n\nset your password here:\n\n{{ link }}\n\nIf you did not ask for this, nothing has changed, and you need do nothing.\n',
 '[{"name": "username"}, {"name": "link", "secret": true}]'),
('task-assigned', 'email', 'Yours now: {{ title }}',
 E'Hello {{ username }},\n\nthe task "{{ title }}" was given to you: {{ link }}\n',
 '[{"name": "username"}, {"name": "title"}, {"name": "link"}]'),
('task-completed', 'email', 'Done: {{ title }}',
 E'Hello {{ username }},\n\nthe task "{{ title }}", which you added, is done: {{ link }}\n',
 '[{"name": "username"}, {"name": "title"}, {"name": "link"}]');

CREATE TABLE notification_logs (
  id uuid PRIMARY KEY,
  company_id uuid NOT NULL,
  user_id uuid,  -- whom it is for; NULL for a webhook
  type varchar(50) NOT NULL,
  recipient varchar(500) NOT NULL,
  subject varchar(500) NOT NULL DEFAULT '',
  body text NOT NULL DEFAULT '',  -- without what is secret
  content jsonb,  -- what goes out; NULL when it is sent or given up
  status varchar(50) NOT NULL DEFAULT 'pending',  -- pending, sent, failed
  error text NOT NULL DEFAULT '',
  attempts int NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
  sent_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX idx_notifications_status ON notification_logs (status);
CREATE INDEX idx_notifications_recipient ON notification_logs (recipient);
CREATE INDEX idx_notifications_company_time ON notification_logs (company_id, created_at DESC, id DESC);
CREATE INDEX idx_notifications_waiting ON notification_logs (not_before) WHERE status = 'pending';
CALL isolate('notification_logs');
