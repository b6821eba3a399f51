# Inputs of the Sumo Logic side, in alphabetical order.
variable "monitors" {
  description = "Your own monitors by name, beside those that ship; see modules/monitors for the fields."
  type        = any
  default     = {}
  nullable    = false
}

variable "scheduled_searches" {
  description = "Legacy scheduled searches by name; see modules/scheduled_searches for the fields."
  type        = any
  default     = {}
  nullable    = false
}

variable "search_folder_id" {
  description = "Id of the folder for scheduled searches; needed only when there are some."
  type        = string
  default     = null

  validation {
    condition     = length(var.scheduled_searches) == 0 || var.search_folder_id != null
    error_message = "search_folder_id must say where the scheduled searches are put."
  }
}

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
}

variable "webhook_url" {
  description = "Where Sumo Logic sends alerts: the output sumologic_webhook_url of the stack."
  type        = string
  nullable    = false
}
