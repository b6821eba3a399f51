# Inputs of the connection, in alphabetical order.
variable "name" {
  description = "Name of the connection in Sumo Logic."
  type        = string
  default     = "firebreak"
  nullable    = false
}

variable "webhook_token" {
  description = "Token of the source sumologic, the same as in the Secrets Manager secret."
  type        = string
  sensitive   = true
  nullable    = false

  validation {
    condition     = length(var.webhook_token) >= 32 && can(regex("^[A-Za-z0-9._~+/=-]+$", var.webhook_token))
    error_message = "webhook_token must have 32 characters or more, all of them allowed in a bearer token."
  }
}

variable "webhook_url" {
  description = "Where Sumo Logic sends alerts: the output sumologic_webhook_url of the stack."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^/:]+(:443)?/.*webhooks/sumologic$", var.webhook_url))
    error_message = "webhook_url must be https on port 443 and end in /webhooks/sumologic."
  }
}
