# The state machine that drives an incident, its role, and the role with which the bus starts it.
locals {
  # Action family -> function that executes it.
  action_functions = {
    ec2  = "runbook_action_ec2"
    http = "runbook_action_http"
  }

  advance_arn = module.function["runbook_action"].alias_arn
  act_arns    = { for family, key in local.action_functions : family => module.function[key].alias_arn }
}

resource "aws_cloudwatch_log_group" "remediation" {
  name              = "/aws/vendedlogs/states/${local.prefix}-remediation"
  retention_in_days = var.log_retention_days
}

resource "aws_sfn_state_machine" "remediation" {
  name     = "${local.prefix}-remediation"
  role_arn = aws_iam_role.remediation.arn
  type     = "STANDARD"

  definition = templatefile("${local.wiring}/remediation.asl.json", {
    advance_arn = local.advance_arn
    act_arns    = jsonencode(local.act_arns)
  })

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.remediation.arn}:*"
  }

  # Without its policy the machine can neither be created with logging nor call a function.
  depends_on = [aws_iam_role_policy.remediation]
}

data "aws_iam_policy_document" "remediation_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["states.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

data "aws_iam_policy_document" "remediation" {
  statement {
    sid       = "InvokeFunctions"
    actions   = ["lambda:InvokeFunction"]
    resources = concat([local.advance_arn], values(local.act_arns))
  }

  # Log delivery has no resource level.
  statement {
    sid = "DeliverLog"
    actions = [
      "logs:CreateLogDelivery",
      "logs:DeleteLogDelivery",
      "logs:DescribeLogGroups",
      "logs:DescribeResourcePolicies",
      "logs:GetLogDelivery",
      "logs:ListLogDeliveries",
      "logs:PutResourcePolicy",
      "logs:UpdateLogDelivery",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role" "remediation" {
  name                 = "${local.prefix}-remediation"
  description          = "Lets the state machine call its functions and write its log."
  assume_role_policy   = data.aws_iam_policy_document.remediation_assume.json
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "remediation" {
  name   = "execution"
  role   = aws_iam_role.remediation.name
  policy = data.aws_iam_policy_document.remediation.json
}

data "aws_iam_policy_document" "start_run_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.this["remediate"].arn]
    }
  }
}

data "aws_iam_policy_document" "start_run" {
  statement {
    sid       = "StartRun"
    actions   = ["states:StartExecution"]
    resources = [aws_sfn_state_machine.remediation.arn]
  }
}

resource "aws_iam_role" "start_run" {
  name                 = "${local.prefix}-start-run"
  description          = "Lets the rule remediate start the state machine."
  assume_role_policy   = data.aws_iam_policy_document.start_run_assume.json
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "start_run" {
  name   = "execution"
  role   = aws_iam_role.start_run.name
  policy = data.aws_iam_policy_document.start_run.json
}
