# Alerts that AWS itself sends: rules on the default bus, and SNS topics of alarms. They wait in a queue until they are
# stored, whatever the store does meanwhile. What a rule lets through is a file under wiring/alert_events.
locals {
  alert_event_patterns = {
    for file in fileset("${local.wiring}/alert_events", "*.json") : trimsuffix(file, ".json") => file("${local.wiring}/alert_events/${file}")
  }
  alert_events = var.alert_events == null ? toset(keys(local.alert_event_patterns)) : var.alert_events
}

resource "aws_cloudwatch_event_rule" "alert_events" {
  for_each = local.alert_events

  name           = "${local.prefix}-events-${each.key}"
  description    = "Events of ${each.key} that may be alerts."
  event_bus_name = "default"
  event_pattern  = jsonencode(jsondecode(local.alert_event_patterns[each.key]))
}

resource "aws_cloudwatch_event_target" "alert_events" {
  for_each = local.alert_events

  target_id      = "alert-events"
  rule           = aws_cloudwatch_event_rule.alert_events[each.key].name
  event_bus_name = "default"
  arn            = aws_sqs_queue.alert_events.arn

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters["alert_events"].arn
  }
}

resource "aws_sqs_queue" "alert_events" {
  name                       = "${local.prefix}-alert-events"
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = tonumber(local.spill.queue.VisibilityTimeout)
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters["alert_events"].arn
    maxReceiveCount     = local.spill.max_receive_count
  })
}

data "aws_iam_policy_document" "alert_events" {
  for_each = {
    queue        = aws_sqs_queue.alert_events.arn
    dead_letters = aws_sqs_queue.dead_letters["alert_events"].arn
  }

  dynamic "statement" {
    for_each = length(local.alert_events) > 0 ? [local.alert_events] : []

    content {
      sid       = "OnlyTheseRules"
      actions   = ["sqs:SendMessage"]
      resources = [each.value]

      principals {
        type        = "Service"
        identifiers = ["events.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = [for rule in values(aws_cloudwatch_event_rule.alert_events) : rule.arn]
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.alarm_topic_arns) > 0 ? [var.alarm_topic_arns] : []

    content {
      sid       = "OnlyTheseTopics"
      actions   = ["sqs:SendMessage"]
      resources = [each.value]

      principals {
        type        = "Service"
        identifiers = ["sns.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = statement.value
      }
    }
  }
}

resource "aws_sqs_queue_policy" "alert_events" {
  for_each = length(local.alert_events) + length(var.alarm_topic_arns) > 0 ? {
    queue        = aws_sqs_queue.alert_events.url
    dead_letters = aws_sqs_queue.dead_letters["alert_events"].url
  } : {}

  queue_url = each.value
  policy    = data.aws_iam_policy_document.alert_events[each.key].json
}

# Alarms that already go to a topic, of other Regions and accounts too.
resource "aws_sns_topic_subscription" "alarms" {
  for_each = var.alarm_topic_arns

  topic_arn = each.key
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.alert_events.arn
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters["alert_events"].arn
  })

  depends_on = [aws_sqs_queue_policy.alert_events]
}

resource "aws_lambda_event_source_mapping" "alert_events" {
  event_source_arn        = aws_sqs_queue.alert_events.arn
  function_name           = module.function["alert_ingest"].alias_arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  # A burst of findings leaves room for webhooks.
  scaling_config {
    maximum_concurrency = 10
  }
}
