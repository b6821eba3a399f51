# Inputs of the webhook, in alphabetical order.
variable "name" {
  description = "Name of the webhook in Datadog."
  type        = string
  default     = "firebreak"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+$", var.name))
    error_message = "name must be letters, digits, hyphens and underscores: monitors mention it as @webhook-<name>."
  }
}

variable "token_variable" {
  description = "Name of the hidden variable in Datadog that holds the token."
  type        = string
  default     = "FIREBREAK_TOKEN"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Z][A-Z0-9_]*$", var.token_variable))
    error_message = "token_variable must be capital letters, digits and underscores."
  }
}

variable "webhook_token" {
  description = "Token of the source datadog, the same as in the Secrets Manager secret. Without it the variable is not made here, and no state holds the token."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.webhook_token == null ? true : length(var.webhook_token) >= 32 && can(regex("^[A-Za-z0-9._~+/=-]+$", var.webhook_token))
    error_message = "webhook_token must have 32 characters or more, all of them allowed in a bearer token."
  }
}

variable "webhook_url" {
  description = "Where Datadog sends alerts: the output datadog_webhook_url of the stack."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^/@]+/.*webhooks/datadog$", var.webhook_url))
    error_message = "webhook_url must be https, without a password in it, and end in /webhooks/datadog."
  }
}
