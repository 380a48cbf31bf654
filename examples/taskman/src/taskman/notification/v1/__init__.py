"""GENERATED wire code of proto/notificationman/notification/v1."""
