# Ids, for links and for silencing.
output "connection_id" {
  description = "Id of the connection to Firebreak."
  value       = sumologic_connection.firebreak.id
}

output "monitor_id" {
  description = "Id of the monitor slow-api-data."
  value       = sumologic_monitor.slow_api_data.id
}
