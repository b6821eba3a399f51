# The public door: an HTTP API in front of alert_ingest, which authenticates every request itself.
locals {
  # Grafana may be set to PUT; every other sender posts.
  webhook_methods = { webhook = "POST", webhook_put = "PUT" }

  api_routes = merge(
    { health = { method = "GET", path = "/healthz", source = null } },
    { for key, method in local.webhook_methods : key => { method = method, path = "/webhooks/{source}", source = null } },
    merge([
      for source in keys(var.authorizers) : {
        for key, method in local.webhook_methods : "${key}_${source}" => { method = method, path = "/webhooks/${source}", source = source }
      }
    ]...),
  )
}

resource "aws_apigatewayv2_api" "webhooks" {
  name          = "${local.prefix}-webhooks"
  description   = "Webhooks of the alert senders."
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "alert_ingest" {
  api_id                 = aws_apigatewayv2_api.webhooks.id
  integration_type       = "AWS_PROXY"
  integration_uri        = module.function["alert_ingest"].alias_invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 29000
}

resource "aws_apigatewayv2_route" "webhooks" {
  for_each = local.api_routes

  api_id    = aws_apigatewayv2_api.webhooks.id
  route_key = "${each.value.method} ${each.value.path}"
  target    = "integrations/${aws_apigatewayv2_integration.alert_ingest.id}"

  authorization_type   = try({ jwt = "JWT", iam = "AWS_IAM" }[var.authorizers[each.value.source].kind], "NONE")
  authorizer_id        = try(aws_apigatewayv2_authorizer.jwt[each.value.source].id, null)
  authorization_scopes = try(var.authorizers[each.value.source].scopes, null)
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  for_each = { for source, authorizer in var.authorizers : source => authorizer if authorizer.kind == "jwt" }

  api_id           = aws_apigatewayv2_api.webhooks.id
  name             = "webhook_${each.key}"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = each.value.issuer
    audience = each.value.audience
  }
}

resource "aws_lambda_permission" "api" {
  for_each = local.api_routes

  statement_id  = "api-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = module.function["alert_ingest"].function_name
  qualifier     = module.function["alert_ingest"].alias_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.webhooks.execution_arn}/*/*${each.value.path}"
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/aws/apigateway/${local.prefix}-webhooks"
  retention_in_days = var.log_retention_days
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.webhooks.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    detailed_metrics_enabled = true
    throttling_burst_limit   = var.webhook_burst_limit
    throttling_rate_limit    = var.webhook_rate_limit
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format = jsonencode({
      time             = "$context.requestTimeEpoch"
      requestId        = "$context.requestId"
      sourceIp         = "$context.identity.sourceIp"
      userAgent        = "$context.identity.userAgent"
      routeKey         = "$context.routeKey"
      path             = "$context.path"
      status           = "$context.status"
      responseLatency  = "$context.responseLatency"
      integrationError = "$context.integrationErrorMessage"
    })
  }
}

# Created empty: the value is put in by hand or by a rotation job, so that no secret is ever in the state.
resource "aws_secretsmanager_secret" "webhooks" {
  name                    = "${local.prefix}/webhooks"
  description             = "Tokens of the alert senders and signing secrets of the channels, as JSON. Filled outside Terraform."
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 7
}
