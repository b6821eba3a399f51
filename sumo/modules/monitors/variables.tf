# Inputs of the monitors, in alphabetical order.
variable "connection" {
  description = "The output of the module connection."
  type        = object({ id = string, payload = string })
  nullable    = false

  validation {
    condition     = can(jsondecode(var.connection.payload).group)
    error_message = "connection.payload must be the template of the module connection."
  }
}

variable "monitors" {
  description = <<-EOT
    The monitors by name; runbooks match a monitor by its name. A monitor fires on critical, warning or both, and on
    missing data when that is given; it resolves by itself. group_fields tell its alerts apart, label_fields go along:
    each becomes a label of the alert.
  EOT
  type = map(object({
    description      = string
    query            = string
    type             = optional(string, "Logs")
    field            = optional(string)
    group_fields     = optional(list(string), [])
    label_fields     = optional(list(string), ["service", "env"])
    evaluation_delay = optional(string, "1m")
    critical = optional(object({
      threshold         = number
      threshold_type    = optional(string, "GreaterThan")
      time_range        = optional(string, "10m")
      frequency         = optional(string)
      resolution_window = optional(string)
      occurrence        = optional(string, "AtLeastOnce")
    }))
    warning = optional(object({
      threshold         = number
      threshold_type    = optional(string, "GreaterThan")
      time_range        = optional(string, "10m")
      frequency         = optional(string)
      resolution_window = optional(string)
      occurrence        = optional(string, "AtLeastOnce")
    }))
    missing_data = optional(object({
      time_range = optional(string, "15m")
      frequency  = optional(string)
    }))
    playbook  = optional(string)
    folder_id = optional(string)
    disabled  = optional(bool, false)
    tags      = optional(map(string), {})
  }))
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.monitors) : can(regex("^[a-z0-9]+(-[a-z0-9]+)*$", name))])
    error_message = "a monitor's name must be made of small letters, digits and single hyphens: runbooks match it."
  }

  validation {
    condition     = alltrue([for monitor in values(var.monitors) : contains(["Logs", "Metrics"], monitor.type)])
    error_message = "type must be Logs or Metrics."
  }

  validation {
    condition = alltrue([
      for monitor in values(var.monitors) : anytrue([monitor.critical != null, monitor.warning != null, monitor.missing_data != null])
    ])
    error_message = "a monitor needs critical, warning or missing_data: it would never fire."
  }

  validation {
    condition = alltrue(flatten([
      for monitor in values(var.monitors) : [
        for level in [monitor.critical, monitor.warning] : level == null ? true : contains(
          ["GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"], level.threshold_type
        )
      ]
    ]))
    error_message = "threshold_type must be GreaterThan, GreaterThanOrEqual, LessThan or LessThanOrEqual."
  }

  validation {
    condition     = alltrue([for monitor in values(var.monitors) : length(monitor.group_fields) <= 10])
    error_message = "Sumo Logic groups by 10 fields at most."
  }

  validation {
    condition = alltrue(flatten([
      for monitor in values(var.monitors) : [
        for field in concat(monitor.group_fields, monitor.label_fields) : can(regex("^[A-Za-z][A-Za-z0-9_.]*$", field))
      ]
    ]))
    error_message = "group_fields and label_fields are names of result fields; those that begin with _ have too many values."
  }

  validation {
    condition = alltrue(flatten([
      for monitor in values(var.monitors) : [for field in monitor.group_fields : strcontains(monitor.query, field)]
    ]))
    error_message = "the query must give each of group_fields, else all alerts of the monitor become one."
  }

  validation {
    condition = alltrue([
      for monitor in values(var.monitors) : monitor.field == null ? true : monitor.type == "Logs" && strcontains(monitor.query, monitor.field)
    ])
    error_message = "field is the field of a log query that the threshold is for: the query must give it."
  }
}
