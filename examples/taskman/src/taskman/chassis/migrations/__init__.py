"""Tables and roles that every service has. A file that was released is never changed."""
