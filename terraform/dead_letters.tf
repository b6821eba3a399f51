# Queues for what could not be delivered: one per rule target, mapping and asynchronous function.
locals {
  dead_letters = toset(concat(
    [for key in keys(local.rules) : "rule_${key}"],
    ["alert_events", "relay", "runbook_action", "notifier", "ticks"],
  ))
}

resource "aws_sqs_queue" "dead_letters" {
  for_each = local.dead_letters

  name                      = "${local.prefix}-${each.key}-dead-letters"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

data "aws_iam_policy_document" "rule_dead_letters" {
  for_each = local.rules

  statement {
    sid       = "OnlyThisRule"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters["rule_${each.key}"].arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.this[each.key].arn]
    }
  }
}

resource "aws_sqs_queue_policy" "rule_dead_letters" {
  for_each = local.rules

  queue_url = aws_sqs_queue.dead_letters["rule_${each.key}"].url
  policy    = data.aws_iam_policy_document.rule_dead_letters[each.key].json
}
