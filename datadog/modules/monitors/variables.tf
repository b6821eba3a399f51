# Inputs of the monitors, in alphabetical order.
variable "handle" {
  description = "The output of the module webhook."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^@webhook-[A-Za-z0-9_-]+$", var.handle))
    error_message = "handle must be @webhook-<name>."
  }
}

variable "monitors" {
  description = <<-EOT
    The monitors by name; runbooks match a monitor by its name. The tags of the group that fires (`by {...}` of the
    query) become labels of the alert. critical must be the number at the end of the query.
  EOT
  type = map(object({
    type                = string
    query               = string
    message             = string
    priority            = number
    critical            = number
    critical_recovery   = optional(number)
    warning             = optional(number)
    warning_recovery    = optional(number)
    on_missing_data     = optional(string)
    evaluation_delay    = optional(number)
    new_group_delay     = optional(number)
    require_full_window = optional(bool, false)
    tags                = optional(set(string), [])
  }))
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.monitors) : can(regex("^[a-z0-9]+(-[a-z0-9]+)*$", name))])
    error_message = "a monitor's name must be made of small letters, digits and single hyphens: runbooks match it."
  }

  validation {
    condition     = alltrue([for monitor in values(var.monitors) : contains([1, 2, 3, 4, 5], monitor.priority)])
    error_message = "priority must be 1 (critical) to 5: Firebreak reads the severity from it."
  }

  validation {
    condition = alltrue([
      for monitor in values(var.monitors) : try(tonumber(regex("[<>]=?\\s*(-?[0-9.]+)\\s*$", monitor.query)[0]), null) == monitor.critical
    ])
    error_message = "critical must be the number that the query ends with, as in `... > 5`: Datadog refuses another one."
  }

  validation {
    condition = alltrue([
      for monitor in values(var.monitors) : monitor.critical_recovery == null ? true : (
        strcontains(monitor.query, ">") ? monitor.critical_recovery <= monitor.critical : monitor.critical_recovery >= monitor.critical
      )
    ])
    error_message = "critical_recovery must lie on the healthy side of critical."
  }

  validation {
    condition = alltrue([
      for monitor in values(var.monitors) : monitor.on_missing_data == null ? true : contains(
        ["default", "show_no_data", "show_and_notify_no_data", "resolve"], monitor.on_missing_data
      )
    ])
    error_message = "on_missing_data must be default, show_no_data, show_and_notify_no_data or resolve."
  }

  validation {
    condition     = alltrue([for monitor in values(var.monitors) : !strcontains(monitor.message, "@webhook-")])
    error_message = "the handle is added to each message: a message with its own would send an alert twice."
  }
}
