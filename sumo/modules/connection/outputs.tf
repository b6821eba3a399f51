# What monitors and searches need of the connection.
output "connection" {
  description = "Id and template, as the modules monitors and scheduled_searches take them."
  value       = { id = sumologic_connection.this.id, payload = local.payload }
}
