# One monitor for each entry. The handle stands outside of any condition, so that the recovery is sent too.
resource "datadog_monitor" "this" {
  for_each = var.monitors

  name     = each.key
  type     = each.value.type
  query    = each.value.query
  message  = "${trimspace(each.value.message)}\n\n${var.handle}"
  priority = each.value.priority
  tags     = each.value.tags

  monitor_thresholds {
    critical          = each.value.critical
    critical_recovery = each.value.critical_recovery
    warning           = each.value.warning
    warning_recovery  = each.value.warning_recovery
  }

  on_missing_data     = each.value.on_missing_data
  evaluation_delay    = each.value.evaluation_delay
  new_group_delay     = each.value.new_group_delay
  require_full_window = each.value.require_full_window

  # Firebreak keeps an incident open until it is told of the end: it needs no reminders.
  renotify_interval = 0
}
