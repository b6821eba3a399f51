# Inputs of the stack, in alphabetical order. Only `environment` and `artifact_dir` have no default.
variable "alarm_topic_arns" {
  description = "SNS topics of CloudWatch alarms to take in as well, for alarms that no rule of this account and Region sees."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", arn))])
    error_message = "alarm_topic_arns must be ARNs of standard SNS topics."
  }
}

variable "alert_events" {
  description = "Which events of AWS become alerts: names of files in wiring/alert_events. All of them when it is not set."
  type        = set(string)
  default     = null

  validation {
    condition     = var.alert_events == null ? true : length(setsubtract(var.alert_events, keys(local.alert_event_patterns))) == 0
    error_message = "alert_events has a name that is no file in wiring/alert_events."
  }
}

variable "architecture" {
  description = "Instruction set of the functions; the zips must be built for it."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

variable "artifact_dir" {
  description = "Folder with the function zips: alert_ingest.zip, event_relay.zip, runbook_action.zip, notifier.zip."
  type        = string
  nullable    = false

  validation {
    condition     = !endswith(var.artifact_dir, "/") && var.artifact_dir != ""
    error_message = "artifact_dir must be a folder without a trailing slash."
  }
}

variable "authorizers" {
  description = <<-EOT
    Sources whose senders API Gateway identifies, by name: kind "jwt" (OAuth 2 client credentials; Datadog) or "iam" (AWS
    signatures; Sumo Logic). Who of them is let in is said in the policy of the source.
  EOT
  type = map(object({
    kind     = string
    issuer   = optional(string)
    audience = optional(set(string))
    scopes   = optional(set(string))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for source in keys(var.authorizers) : can(regex("^[a-z][a-z0-9_]*$", source))])
    error_message = "authorizers is keyed by the name of a source, for example datadog."
  }

  validation {
    condition     = alltrue([for authorizer in values(var.authorizers) : contains(["jwt", "iam"], authorizer.kind)])
    error_message = "The kind of an authorizer is jwt or iam."
  }

  validation {
    condition = alltrue([
      for authorizer in values(var.authorizers) : (
        authorizer.kind == "jwt"
        ? authorizer.audience != null && can(regex("^https://", authorizer.issuer))
        : authorizer.issuer == null && authorizer.audience == null && authorizer.scopes == null
      )
    ])
    error_message = "A jwt authorizer needs issuer (https://...) and audience; an iam authorizer has neither, and no scopes."
  }
}

variable "channels" {
  description = "Notification channels besides `oncall` (the SNS topic). The signing secret of each stands in the Secrets Manager secret."
  type = map(object({
    kind          = string
    url           = string
    send_resolved = optional(bool)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for channel in values(var.channels) : channel.kind == "webhook" && startswith(channel.url, "https://")])
    error_message = "Each channel needs kind = \"webhook\" and an https:// url."
  }

  validation {
    condition     = !contains(keys(var.channels), "oncall")
    error_message = "The channel oncall is the SNS topic of this stack and cannot be replaced."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the incident table. Turn off only to tear a test stack down."
  type        = bool
  default     = true
  nullable    = false
}

variable "environment" {
  description = "Short name of the environment; part of every resource name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "environment must be 2 to 12 lower-case letters or digits and start with a letter."
  }
}

variable "flag_origins" {
  description = "URL origins that http.set_flag may call, for example https://flags.example.com. Empty means none."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.flag_origins : can(regex("^https://[A-Za-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "Each flag origin must be https://host or https://host:port, with no path."
  }
}

variable "log_level" {
  description = "RUST_LOG of the functions."
  type        = string
  default     = "info"
  nullable    = false
}

variable "log_retention_days" {
  description = "Retention of the log groups, in days."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_retention_days)
    error_message = "log_retention_days must be a retention that CloudWatch Logs offers, at least 7."
  }
}

variable "name" {
  description = "Name of the application; first part of every resource name."
  type        = string
  default     = "firebreak"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits or hyphens and start with a letter."
  }
}

variable "oncall_emails" {
  description = "E-mail addresses subscribed to the oncall topic; each must confirm its subscription."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of every role that this stack makes."
  type        = string
  default     = null
}

variable "region" {
  description = "Home Region of the stack."
  type        = string
  default     = "eu-west-1"
  nullable    = false
}

variable "relay_batch_size" {
  description = "Stream records handed to the relay at once."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.relay_batch_size >= 10 && var.relay_batch_size <= 100
    error_message = "relay_batch_size must be between 10 and 100."
  }
}

variable "reopen_within" {
  description = "For how long after its resolve an incident is reopened rather than followed by a new one, such as 10m."
  type        = string
  default     = "10m"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+(s|m|h)$", var.reopen_within))
    error_message = "reopen_within is a whole number with s, m or h, such as 10m."
  }
}

variable "reserved_concurrency" {
  description = "Reserved concurrency by function key. 0 on a runbook_action function is its kill switch."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for key in keys(var.reserved_concurrency) :
      contains(["alert_ingest", "event_relay", "runbook_action", "runbook_action_ec2", "runbook_action_http", "notifier"], key)
    ])
    error_message = "reserved_concurrency has a key that names no function."
  }
}

variable "webhook_burst_limit" {
  description = "Burst limit of the webhook API, in requests."
  type        = number
  default     = 4000
  nullable    = false
}

variable "webhook_rate_limit" {
  description = "Steady rate limit of the webhook API, in requests per second. Keep it well above the alert storms you expect: senders drop what is throttled."
  type        = number
  default     = 2000
  nullable    = false

  validation {
    condition     = var.webhook_rate_limit >= 100
    error_message = "webhook_rate_limit below 100 would throttle an ordinary alert storm."
  }
}
