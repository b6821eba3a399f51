# What an operator needs after the first deployment.
output "bus_name" {
  description = "Name of the event bus."
  value       = aws_cloudwatch_event_bus.this.name
}

output "datadog_webhook_url" {
  description = "What the folder datadog/ takes as webhook_url."
  value       = "${aws_apigatewayv2_api.webhooks.api_endpoint}/webhooks/datadog"
}

output "function_names" {
  description = "Names of the functions, by key."
  value       = { for key, function in module.function : key => function.function_name }
}

output "oncall_topic_arn" {
  description = "SNS topic of the channel oncall."
  value       = aws_sns_topic.oncall.arn
}

output "secret_name" {
  description = "Secrets Manager secret to fill with {\"sources\": {...}, \"channels\": {...}}."
  value       = aws_secretsmanager_secret.webhooks.name
}

output "sender_policies" {
  description = "IAM policy that a sender with an iam authorizer needs, as JSON, by source."
  value = {
    for source, authorizer in var.authorizers : source => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect   = "Allow"
        Action   = "execute-api:Invoke"
        Resource = "${aws_apigatewayv2_api.webhooks.execution_arn}/$default/POST/webhooks/${source}"
      }]
    }) if authorizer.kind == "iam"
  }
}

output "state_machine_arn" {
  description = "State machine that drives the incidents."
  value       = aws_sfn_state_machine.remediation.arn
}

output "sumologic_webhook_url" {
  description = "What the folder sumo/ takes as webhook_url."
  value       = "${aws_apigatewayv2_api.webhooks.api_endpoint}/webhooks/sumologic"
}

output "table_name" {
  description = "Name of the incident table."
  value       = aws_dynamodb_table.incidents.name
}

output "webhook_url" {
  description = "Base URL of the webhooks; append the source, for example alertmanager."
  value       = "${aws_apigatewayv2_api.webhooks.api_endpoint}/webhooks"
}
