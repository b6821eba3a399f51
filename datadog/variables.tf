# Inputs of the Datadog side, in alphabetical order.
variable "datadog_site" {
  description = "Datadog site, for example datadoghq.eu or us5.datadoghq.com."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]+\\.)?(datadoghq\\.(com|eu)|ddog-gov\\.com)$", var.datadog_site))
    error_message = "datadog_site must be a site like datadoghq.eu, without https:// and app."
  }
}

variable "monitors" {
  description = "Your own monitors by name, beside the one that ships; see modules/monitors for the fields."
  type        = any
  default     = {}
  nullable    = false
}

variable "webhook_token" {
  description = "Token of the source datadog. Pass it as TF_VAR_webhook_token, or leave it out and make the hidden variable yourself; see README.md."
  type        = string
  default     = null
  sensitive   = true
}

variable "webhook_url" {
  description = "Where Datadog sends alerts: the output datadog_webhook_url of the stack."
  type        = string
  nullable    = false
}
