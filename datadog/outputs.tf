# For monitors that are made elsewhere.
output "handle" {
  description = "What a monitor's message must contain to notify Firebreak."
  value       = module.webhook.handle
}

output "monitor_ids" {
  description = "Id of each monitor, by its name."
  value       = module.monitors.ids
}
