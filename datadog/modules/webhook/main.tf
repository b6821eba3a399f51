# The webhook to Firebreak. Datadog puts the token into the header when it sends, from a hidden variable.
resource "datadog_webhook_custom_variable" "token" {
  count = nonsensitive(var.webhook_token == null) ? 0 : 1

  name      = var.token_variable
  value     = var.webhook_token
  is_secret = true
}

resource "datadog_webhook" "this" {
  name           = var.name
  url            = var.webhook_url
  encode_as      = "json"
  payload        = file("${path.module}/../../payload.json")
  custom_headers = jsonencode({ Authorization = format("Bearer $%s", var.token_variable) })

  depends_on = [datadog_webhook_custom_variable.token]
}
