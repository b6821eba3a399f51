# Inputs of one function.
variable "alarm_topic_arn" {
  description = "SNS topic that is told when the function fails."
  type        = string
  nullable    = false
}

variable "architecture" {
  description = "arm64 or x86_64."
  type        = string
  nullable    = false
}

variable "dead_letter_arn" {
  description = "SQS queue for asynchronous invocations that failed for good; null when nothing invokes the function asynchronously."
  type        = string
  default     = null
}

variable "description" {
  description = "What the function does."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "Environment variables."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "has_dead_letter" {
  description = "Whether dead_letter_arn is set; known at plan time, unlike the ARN."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_retention_days" {
  description = "Retention of the log group, in days."
  type        = number
  nullable    = false
}

variable "memory_size" {
  description = "Memory in MB; processor share grows with it."
  type        = number
  default     = 256
  nullable    = false
}

variable "name" {
  description = "Name of the function, its role and its log group."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.name) <= 64
    error_message = "name is the role's name too and may have 64 characters at most."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of the role."
  type        = string
  default     = null
}

variable "reserved_concurrency" {
  description = "Reserved concurrency; -1 reserves none, 0 stops the function."
  type        = number
  default     = -1
  nullable    = false
}

variable "statements" {
  description = "What the function's role may do besides writing its own log."
  type = list(object({
    sid       = string
    effect    = optional(string, "Allow")
    actions   = list(string)
    resources = list(string)
    conditions = optional(list(object({
      test     = string
      variable = string
      values   = list(string)
    })), [])
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue(flatten([for s in var.statements : [for action in s.actions : !strcontains(action, "*")]]))
    error_message = "Actions must be written out, without wildcards."
  }
}

variable "timeout" {
  description = "Timeout in seconds."
  type        = number
  default     = 10
  nullable    = false
}

variable "zip_path" {
  description = "Zip with the executable `bootstrap` at its root."
  type        = string
  nullable    = false
}
