# Ids, for links.
output "ids" {
  description = "Id of each search, by its name."
  value       = { for name, search in sumologic_log_search.this : name => search.id }
}
