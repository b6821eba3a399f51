# Inputs of the scheduled searches, in alphabetical order.
variable "connection" {
  description = "The output of the module connection."
  type        = object({ id = string, payload = string })
  nullable    = false
}

variable "folder_id" {
  description = "Id of the folder that the searches are put in."
  type        = string
  nullable    = false
}

variable "searches" {
  description = <<-EOT
    The scheduled searches by name. Each must aggregate, since each row of its result becomes an alert; label_fields
    are fields of that row which become labels of the alert.
  EOT
  type = map(object({
    description  = string
    query        = string
    label_fields = optional(list(string), [])
    range        = optional(string, "-15m")
    schedule     = optional(string, "15Minutes")
    cron         = optional(string)
    time_zone    = optional(string, "Etc/UTC")
    more_than    = optional(number, 0)
    most_alerts  = optional(number, 100)
  }))
  nullable = false

  validation {
    condition = alltrue([
      for search in values(var.searches) : can(regex("\\|\\s*(count|sum|avg|min|max|pct|topk|first|last)\\b", search.query))
    ])
    error_message = "a query must aggregate, for example with `| count by host`: each row becomes an alert."
  }

  validation {
    condition = alltrue([
      for search in values(var.searches) : contains(["Custom", "1Day", "1Week"], search.schedule) == (search.cron != null)
    ])
    error_message = "cron is needed with the schedules Custom, 1Day and 1Week, and with no other."
  }

  validation {
    condition     = alltrue([for search in values(var.searches) : can(regex("^-([0-9]+[wdhms])+$", search.range))])
    error_message = "range must be relative, like -15m."
  }

  validation {
    condition     = alltrue([for search in values(var.searches) : search.most_alerts >= 1 && search.most_alerts <= 100])
    error_message = "Sumo Logic sends 1 to 100 alerts for one run of a search."
  }

  validation {
    condition = alltrue(flatten([
      for search in values(var.searches) : [for field in search.label_fields : can(regex("^[A-Za-z][A-Za-z0-9_.]*$", field))]
    ]))
    error_message = "label_fields are names of result fields."
  }
}
