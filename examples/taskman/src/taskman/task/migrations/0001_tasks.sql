CREATE TABLE projects (
  id uuid PRIMARY KEY,
  name varchar(255) NOT NULL,
  description text NOT NULL DEFAULT '',
  company_id uuid NOT NULL,
  owner_id uuid NOT NULL,
  status varchar(50) NOT NULL DEFAULT 'active',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (company_id, id)
);
CREATE INDEX idx_projects_company_time ON projects (company_id, created_at DESC);
CALL isolate('projects');

-- Who works in a project: the policies read it.
CREATE TABLE project_members (
  project_id uuid NOT NULL,
  user_id uuid NOT NULL,
  company_id uuid NOT NULL,
  PRIMARY KEY (project_id, user_id),
  FOREIGN KEY (company_id, project_id) REFERENCES projects (company_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_project_members_user ON project_members (user_id);
CALL isolate('project_members');

CREATE TABLE tasks (
  id uuid PRIMARY KEY,
  title varchar(500) NOT NULL,
  description text NOT NULL DEFAULT '',
  project_id uuid,
  company_id uuid NOT NULL,
  assignee_id uuid,
  creator_id uuid NOT NULL,
  department varchar(100) NOT NULL DEFAULT '',  -- the creator's; the policies read it
  status varchar(50) NOT NULL DEFAULT 'todo',
  priority varchar(20) NOT NULL DEFAULT 'medium',
  due_date timestamptz,
  completed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (company_id, id),
  FOREIGN KEY (company_id, project_id) REFERENCES projects (company_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_tasks_company_time ON tasks (company_id, created_at DESC, id DESC);
CREATE INDEX idx_tasks_project ON tasks (project_id);
CREATE INDEX idx_tasks_assignee ON tasks (assignee_id);
CREATE INDEX idx_tasks_status ON tasks (status);
CALL isolate('tasks');

CREATE TABLE task_comments (
  id uuid PRIMARY KEY,
  task_id uuid NOT NULL,
  company_id uuid NOT NULL,
  user_id uuid NOT NULL,
  comment text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (company_id, task_id) REFERENCES tasks (company_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_task_comments_task ON task_comments (task_id, created_at);
CALL isolate('task_comments');
