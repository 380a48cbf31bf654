"""A table of routes for tests, with the policies that it goes with."""

from __future__ import annotations

ROUTES = """\
subjects:
  - type: user
    id: claims.?sub
    attributes:
      roles: claims.?roles
      department: claims.?department
  - type: service
    id: source.?principal
    attributes:
      roles: "['service']"
  - type: user
    id: trusted.?x_user
company: claims.?company_id
context:
  ip: source.address
routes:
  - path: /health
    methods: [GET]
    public: true
  - path: /projects/{project}/tasks/{id}
    methods: [GET, PUT]
    action: tasks:edit
    resource: tasks/{id}
    attributes:
      project: path.project
      method: request.method
  - path: /tasks/{id}
    methods: [GET]
    action: tasks:view
    resource: tasks/{id}
    attributes:
      size: int(query.size)
    context:
      agent: headers[?'user-agent']
"""

POLICIES = """\
policies:
  - id: developers-edit-their-own
    effect: allow
    roles: [developer]
    actions: ["tasks:edit"]
    resources: ["tasks/*"]
    condition: resource.project == 'p1' && subject.department == 'engineering'
  - id: everyone-views-small-tasks
    effect: allow
    roles: ["*"]
    actions: ["tasks:view"]
    resources: ["tasks/*"]
    condition: resource.size < 10
  - id: services-edit
    effect: allow
    roles: [service]
    actions: ["tasks:edit"]
    resources: ["tasks/*"]
    condition: subject.id == 'spiffe://example.org/mailer'
---
company: acme
policies:
  - id: acme-edits-nothing
    effect: deny
    roles: ["*"]
    actions: ["tasks:edit"]
    resources: ["tasks/*"]
"""
