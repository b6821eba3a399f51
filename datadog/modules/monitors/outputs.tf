# Ids, for links and for downtimes.
output "ids" {
  description = "Id of each monitor, by its name."
  value       = { for name, monitor in datadog_monitor.this : name => monitor.id }
}
