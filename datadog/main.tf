# The webhook to Firebreak, the monitors that ship, and those that you add.
module "webhook" {
  source = "./modules/webhook"

  webhook_token = var.webhook_token
  webhook_url   = var.webhook_url
}

module "monitors" {
  source = "./modules/monitors"

  handle   = module.webhook.handle
  monitors = merge(local.shipped_monitors, var.monitors)
}
