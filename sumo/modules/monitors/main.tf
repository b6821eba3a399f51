# One monitor for each entry, with its recovery, its groups and its own copy of the template.
locals {
  # A monitor resolves by the reverse of what it fires on, so that the two cannot disagree.
  reverse = {
    GreaterThan        = "LessThanOrEqual"
    GreaterThanOrEqual = "LessThan"
    LessThan           = "GreaterThanOrEqual"
    LessThanOrEqual    = "GreaterThan"
  }

  # Sumo Logic sends no group values by itself: the template must name each field that an alert is told apart by.
  payloads = {
    for name, monitor in var.monitors : name => replace(
      var.connection.payload,
      "/\"group\": \\{\\n(    .*\\n)*  \\}/",
      "\"group\": {\n${join(",\n", [
        for field in distinct(concat(monitor.group_fields, monitor.label_fields)) : "    \"${field}\": \"{{ResultsJson.${field}}}\""
      ])}\n  }"
    )
  }

  # Whoever lists a trigger without its recovery is never told of the end.
  trigger_types = {
    for name, monitor in var.monitors : name => concat(
      monitor.critical == null ? [] : ["Critical", "ResolvedCritical"],
      monitor.warning == null ? [] : ["Warning", "ResolvedWarning"],
      monitor.missing_data == null ? [] : ["MissingData", "ResolvedMissingData"],
    )
  }
}

resource "sumologic_monitor" "this" {
  for_each = var.monitors

  name         = each.key
  description  = each.value.description
  type         = "MonitorsLibraryMonitor"
  content_type = "Monitor"
  monitor_type = each.value.type
  parent_id    = each.value.folder_id
  is_disabled  = each.value.disabled
  playbook     = each.value.playbook
  tags         = each.value.tags

  # Late data must not resolve an alert.
  evaluation_delay = each.value.evaluation_delay

  queries {
    row_id = "A"
    query  = trimspace(each.value.query)
  }

  trigger_conditions {
    dynamic "logs_static_condition" {
      for_each = each.value.type == "Logs" && (each.value.critical != null || each.value.warning != null) ? [each.value] : []
      content {
        field = logs_static_condition.value.field

        dynamic "critical" {
          for_each = logs_static_condition.value.critical[*]
          content {
            time_range = critical.value.time_range
            frequency  = critical.value.frequency
            alert {
              threshold      = critical.value.threshold
              threshold_type = critical.value.threshold_type
            }
            resolution {
              threshold         = critical.value.threshold
              threshold_type    = local.reverse[critical.value.threshold_type]
              resolution_window = coalesce(critical.value.resolution_window, critical.value.time_range)
            }
          }
        }

        dynamic "warning" {
          for_each = logs_static_condition.value.warning[*]
          content {
            time_range = warning.value.time_range
            frequency  = warning.value.frequency
            alert {
              threshold      = warning.value.threshold
              threshold_type = warning.value.threshold_type
            }
            resolution {
              threshold         = warning.value.threshold
              threshold_type    = local.reverse[warning.value.threshold_type]
              resolution_window = coalesce(warning.value.resolution_window, warning.value.time_range)
            }
          }
        }
      }
    }

    dynamic "logs_missing_data_condition" {
      for_each = each.value.type == "Logs" ? each.value.missing_data[*] : []
      content {
        time_range = logs_missing_data_condition.value.time_range
        frequency  = logs_missing_data_condition.value.frequency
      }
    }

    dynamic "metrics_static_condition" {
      for_each = each.value.type == "Metrics" && (each.value.critical != null || each.value.warning != null) ? [each.value] : []
      content {
        dynamic "critical" {
          for_each = metrics_static_condition.value.critical[*]
          content {
            time_range      = critical.value.time_range
            occurrence_type = critical.value.occurrence
            alert {
              threshold      = critical.value.threshold
              threshold_type = critical.value.threshold_type
            }
            resolution {
              threshold       = critical.value.threshold
              threshold_type  = local.reverse[critical.value.threshold_type]
              occurrence_type = "Always"
            }
          }
        }

        dynamic "warning" {
          for_each = metrics_static_condition.value.warning[*]
          content {
            time_range      = warning.value.time_range
            occurrence_type = warning.value.occurrence
            alert {
              threshold      = warning.value.threshold
              threshold_type = warning.value.threshold_type
            }
            resolution {
              threshold       = warning.value.threshold
              threshold_type  = local.reverse[warning.value.threshold_type]
              occurrence_type = "Always"
            }
          }
        }
      }
    }

    dynamic "metrics_missing_data_condition" {
      for_each = each.value.type == "Metrics" ? each.value.missing_data[*] : []
      content {
        time_range     = metrics_missing_data_condition.value.time_range
        trigger_source = "AnyTimeSeries"
      }
    }
  }

  # One alert and one recovery for each combination of these fields.
  group_notifications       = true
  notification_group_fields = each.value.group_fields

  notifications {
    run_for_trigger_types = local.trigger_types[each.key]

    notification {
      connection_type             = "Webhook"
      connection_id               = var.connection.id
      payload_override            = local.payloads[each.key]
      resolution_payload_override = local.payloads[each.key]
    }
  }
}
