# What monitors need of the webhook.
output "handle" {
  description = "What a monitor's message must contain to notify Firebreak."
  value       = "@webhook-${datadog_webhook.this.name}"
}
