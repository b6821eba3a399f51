"""Schema-only Terraform provider: plans and applies from a recorded schema, and never calls anything."""
