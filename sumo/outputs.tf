# Ids, for links and for silencing.
output "connection_id" {
  description = "Id of the connection to Firebreak."
  value       = module.connection.connection.id
}

output "monitor_ids" {
  description = "Id of each monitor, by its name."
  value       = module.monitors.ids
}

output "search_ids" {
  description = "Id of each scheduled search, by its name."
  value       = merge([for searches in module.scheduled_searches : searches.ids]...)
}
