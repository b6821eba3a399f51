# The event bus: archive, rules and their targets. Patterns are files under wiring/patterns; the one rule that follows
# the clock is wiring/sweep.json.
resource "aws_cloudwatch_event_bus" "this" {
  name        = local.prefix
  description = "Events of the incidents, put here by event_relay only."
}

resource "aws_cloudwatch_event_archive" "this" {
  name             = local.prefix
  description      = "Thirty days of events, for replay."
  event_source_arn = aws_cloudwatch_event_bus.this.arn
  retention_days   = 30
}

locals {
  # The key set is static, because queues and policies are made for each rule.
  rules = {
    remediate   = { description = "Starts a run for an alert that fired.", bus = "custom" }
    notify      = { description = "Hands to the notifier what people must know.", bus = "custom" }
    audit       = { description = "Copies every event to the audit log.", bus = "custom" }
    failed_runs = { description = "Reports a run that the state machine could not finish.", bus = "default" }
    sweep       = { description = "Has expired alerts, ended mutes and silent sources looked for.", bus = "default" }
  }

  sweep = jsondecode(file("${local.wiring}/sweep.json"))
  # The others have a pattern.
  schedules = { sweep = local.sweep.schedule }

  bus_names = {
    custom  = aws_cloudwatch_event_bus.this.name
    default = "default"
  }

  targets = {
    remediate = {
      arn        = aws_sfn_state_machine.remediation.arn
      role_arn   = aws_iam_role.start_run.arn
      input      = null
      input_path = "$.detail"
    }
    notify = {
      arn        = module.function["notifier"].alias_arn
      role_arn   = null
      input      = null
      input_path = null
    }
    audit = {
      arn        = aws_cloudwatch_log_group.audit.arn
      role_arn   = null
      input      = null
      input_path = null
    }
    failed_runs = {
      arn        = module.function["runbook_action"].alias_arn
      role_arn   = null
      input      = null
      input_path = null
    }
    sweep = {
      arn        = module.function["runbook_action"].alias_arn
      role_arn   = null
      input      = jsonencode(local.sweep.input)
      input_path = null
    }
  }
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.rules

  name           = "${local.prefix}-${each.key}"
  description    = each.value.description
  event_bus_name = local.bus_names[each.value.bus]

  schedule_expression = lookup(local.schedules, each.key, null)
  event_pattern = contains(keys(local.schedules), each.key) ? null : jsonencode(jsondecode(templatefile("${local.wiring}/patterns/${each.key}.json", {
    state_machine_arn = aws_sfn_state_machine.remediation.arn
  })))
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.rules

  target_id      = each.key
  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = local.bus_names[each.value.bus]
  arn            = local.targets[each.key].arn
  role_arn       = local.targets[each.key].role_arn
  input          = local.targets[each.key].input
  input_path     = local.targets[each.key].input_path

  retry_policy {
    maximum_event_age_in_seconds = 21600
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters["rule_${each.key}"].arn
  }
}

resource "aws_lambda_permission" "rule" {
  for_each = { notify = "notifier", failed_runs = "runbook_action", sweep = "runbook_action" }

  statement_id  = "rule-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = module.function[each.value].function_name
  qualifier     = module.function[each.value].alias_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this[each.key].arn
}

resource "aws_cloudwatch_log_group" "audit" {
  name = "/aws/events/${local.prefix}-audit"

  # The audit copy is kept for more than a year, whatever the other logs do.
  retention_in_days = max(400, var.log_retention_days)
}

data "aws_iam_policy_document" "audit_log" {
  # EventBridge opens a stream on its own behalf, so only the writing can be tied to the rule.
  statement {
    sid       = "OpenAuditStream"
    actions   = ["logs:CreateLogStream"]
    resources = ["${aws_cloudwatch_log_group.audit.arn}:*"]

    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com", "events.amazonaws.com"]
    }
  }

  statement {
    sid       = "WriteAuditLog"
    actions   = ["logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.audit.arn}:*"]

    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com", "events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.this["audit"].arn]
    }
  }
}

resource "aws_cloudwatch_log_resource_policy" "audit" {
  policy_name     = "${local.prefix}-audit"
  policy_document = data.aws_iam_policy_document.audit_log.json
}
