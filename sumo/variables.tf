# Inputs of the Sumo Logic side, in alphabetical order.
variable "sumo_deployment" {
  description = "Sumo Logic deployment, for example eu or us2."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,3}[0-9]?$", var.sumo_deployment))
    error_message = "sumo_deployment must be a deployment code like eu or us2."
  }
}

variable "webhook_token" {
  description = "Token of the source sumologic, the same as in the Secrets Manager secret. Pass it as TF_VAR_webhook_token."
  type        = string
  sensitive   = true
  nullable    = false

  validation {
    condition     = length(var.webhook_token) >= 32 && can(regex("^[A-Za-z0-9._~+/=-]+$", var.webhook_token))
    error_message = "webhook_token must have 32 characters or more, all of them allowed in a bearer token."
  }
}

variable "webhook_url" {
  description = "Where Sumo Logic sends alerts: the output webhook_url of the stack, followed by /sumologic."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^/:]+(:443)?/.*webhooks/sumologic$", var.webhook_url))
    error_message = "webhook_url must be https on port 443 and end in /webhooks/sumologic."
  }
}
