# The monitor that ships, for the runbook restart-slow-api.
locals {
  shipped_monitors = {
    slow-api-data = {
      description  = "More than 5 responses of /api/data in 10 minutes took longer than 3 seconds on one instance."
      query        = file("${path.module}/slow_api_data.query")
      field        = "slow_requests"
      group_fields = ["instance_id"]
      critical     = { threshold = 5, time_range = "10m", frequency = "1m" }
    }
  }
}
