# The webhook to Firebreak, with one text for an alert and its recovery: trigger_type tells them apart.
locals {
  payload = file("${path.module}/../../payload.json")
}

resource "sumologic_connection" "this" {
  type         = "WebhookConnection"
  webhook_type = "Webhook"
  name         = var.name
  description  = "Sends alerts and recoveries to Firebreak."
  url          = var.webhook_url
  headers      = { Authorization = "Bearer ${var.webhook_token}" }

  default_payload    = local.payload
  resolution_payload = local.payload
}
