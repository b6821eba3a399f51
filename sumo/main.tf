# The connection to Firebreak, the monitors that ship, and those that you add.
module "connection" {
  source = "./modules/connection"

  webhook_token = var.webhook_token
  webhook_url   = var.webhook_url
}

module "monitors" {
  source = "./modules/monitors"

  connection = module.connection.connection
  monitors   = merge(local.shipped_monitors, var.monitors)
}

module "scheduled_searches" {
  source   = "./modules/scheduled_searches"
  for_each = length(var.scheduled_searches) > 0 ? { this = var.scheduled_searches } : {}

  connection = module.connection.connection
  folder_id  = var.search_folder_id
  searches   = each.value
}
