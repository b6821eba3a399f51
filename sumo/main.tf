# The connection to Firebreak and the monitor that watches /api/data.
locals {
  payload = file("${path.module}/payload.json")
}

resource "sumologic_connection" "firebreak" {
  type         = "WebhookConnection"
  webhook_type = "Webhook"
  name         = "firebreak"
  description  = "Sends alerts and recoveries to Firebreak."
  url          = var.webhook_url
  headers      = { Authorization = "Bearer ${var.webhook_token}" }

  # One text for both: trigger_type tells an alert from its recovery.
  default_payload    = local.payload
  resolution_payload = local.payload
}

resource "sumologic_monitor" "slow_api_data" {
  name         = "slow-api-data"
  description  = "More than 5 responses of /api/data in 10 minutes took longer than 3 seconds on one instance."
  type         = "MonitorsLibraryMonitor"
  content_type = "Monitor"
  monitor_type = "Logs"

  # Wait for late log lines, so that a slow collector cannot resolve an alert.
  evaluation_delay = "1m"

  queries {
    row_id = "A"
    query  = trimspace(file("${path.module}/slow_api_data.query"))
  }

  trigger_conditions {
    logs_static_condition {
      field = "slow_requests"

      critical {
        time_range = "10m"
        frequency  = "1m"

        alert {
          threshold      = 5
          threshold_type = "GreaterThan"
        }

        resolution {
          threshold         = 5
          threshold_type    = "LessThanOrEqual"
          resolution_window = "10m"
        }
      }
    }
  }

  # One alert and one recovery for each instance.
  group_notifications       = true
  notification_group_fields = ["instance_id"]

  notifications {
    run_for_trigger_types = ["Critical", "ResolvedCritical"]

    notification {
      connection_type = "Webhook"
      connection_id   = sumologic_connection.firebreak.id
    }
  }
}
