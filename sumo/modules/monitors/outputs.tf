# Ids, for links and for silencing.
output "ids" {
  description = "Id of each monitor, by its name."
  value       = { for name, monitor in sumologic_monitor.this : name => monitor.id }
}
