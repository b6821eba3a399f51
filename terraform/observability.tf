# Alarms on what must never pass unseen. They go to the oncall topic directly, not through the functions they watch.
locals {
  dead_letter_queues = merge(
    { for key in local.dead_letters : key => aws_sqs_queue.dead_letters[key].name },
    { spill = aws_sqs_queue.spill_dead_letters.name },
  )
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = local.dead_letter_queues

  alarm_name          = "${local.prefix}-${each.key}-dead-letters"
  alarm_description   = "Something could not be delivered and waits in ${each.value}."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.oncall.arn]
  ok_actions          = [aws_sns_topic.oncall.arn]
}

# Queues of dead letters forget after 14 days.
resource "aws_cloudwatch_metric_alarm" "old_dead_letters" {
  for_each = local.dead_letter_queues

  alarm_name          = "${local.prefix}-${each.key}-dead-letters-old"
  alarm_description   = "Something has waited in ${each.value} for 4 days. It is deleted after 14: redrive it."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = each.value }
  statistic           = "Maximum"
  period              = 3600
  evaluation_periods  = 1
  threshold           = 345600
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.oncall.arn]
  ok_actions          = [aws_sns_topic.oncall.arn]
}

resource "aws_cloudwatch_metric_alarm" "spilled" {
  alarm_name          = "${local.prefix}-spilled"
  alarm_description   = "The table cannot be written: deliveries of senders wait in ${aws_sqs_queue.spill.name}."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.spill.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.oncall.arn]
  ok_actions          = [aws_sns_topic.oncall.arn]
}

resource "aws_cloudwatch_metric_alarm" "intake_lag" {
  for_each = {
    alert_events = aws_sqs_queue.alert_events.name
    spill        = aws_sqs_queue.spill.name
  }

  alarm_name          = "${local.prefix}-${each.key}-lag"
  alarm_description   = "Alerts have waited in ${each.value} for 5 minutes and are in no incident yet."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = each.value }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 300
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.oncall.arn]
  ok_actions          = [aws_sns_topic.oncall.arn]
}

# A tick may wait for a quarter of an hour before its time.
resource "aws_cloudwatch_metric_alarm" "ticks_lag" {
  alarm_name          = "${local.prefix}-ticks-lag"
  alarm_description   = "A message to people is more than a quarter of an hour late: a tick waits in ${aws_sqs_queue.ticks.name}."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.ticks.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 1800
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.oncall.arn]
  ok_actions          = [aws_sns_topic.oncall.arn]
}

resource "aws_cloudwatch_metric_alarm" "relay_lag" {
  alarm_name          = "${local.prefix}-relay-lag"
  alarm_description   = "Recorded events reach the bus more than a minute late."
  namespace           = "AWS/Lambda"
  metric_name         = "IteratorAge"
  dimensions          = { FunctionName = module.function["event_relay"].function_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  threshold           = 60000
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.oncall.arn]
  ok_actions          = [aws_sns_topic.oncall.arn]
}

resource "aws_cloudwatch_metric_alarm" "failed_runs" {
  for_each = toset(["ExecutionsAborted", "ExecutionsFailed", "ExecutionsTimedOut"])

  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = "A run of the state machine ended without an outcome."
  namespace           = "AWS/States"
  metric_name         = each.key
  dimensions          = { StateMachineArn = aws_sfn_state_machine.remediation.arn }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.oncall.arn]
  ok_actions          = [aws_sns_topic.oncall.arn]
}

resource "aws_cloudwatch_metric_alarm" "api_errors" {
  alarm_name          = "${local.prefix}-webhook-5xx"
  alarm_description   = "Senders get server errors; some of them do not try again."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = aws_apigatewayv2_api.webhooks.id }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.oncall.arn]
  ok_actions          = [aws_sns_topic.oncall.arn]
}

# People hear of it as an incident, by the ways of the notifier. The alarm does not depend on those.
locals {
  quarantine = jsondecode(file("${local.wiring}/quarantine.json"))
}

resource "aws_cloudwatch_log_metric_filter" "quarantined" {
  name           = "${local.prefix}-quarantined"
  log_group_name = module.function["alert_ingest"].log_group_name
  pattern        = "{ $.message = \"${local.quarantine.message}\" }"

  metric_transformation {
    namespace = "Firebreak"
    name      = "${local.prefix}-quarantined"
    value     = "$.${local.quarantine.count}"
  }
}

resource "aws_cloudwatch_metric_alarm" "quarantined" {
  alarm_name          = "${local.prefix}-quarantined"
  alarm_description   = "Messages of a sender could not be understood and are kept: look at them, and mend its template."
  namespace           = one(aws_cloudwatch_log_metric_filter.quarantined.metric_transformation).namespace
  metric_name         = one(aws_cloudwatch_log_metric_filter.quarantined.metric_transformation).name
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.oncall.arn]
  ok_actions          = [aws_sns_topic.oncall.arn]
}
