# The oncall topic, the ticks of the notifier, and the key that encrypts it and the secret.
resource "aws_kms_key" "this" {
  description             = "Encrypts the oncall topic and the webhook secret of ${local.prefix}."
  enable_key_rotation     = true
  deletion_window_in_days = 14
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${local.prefix}"
  target_key_id = aws_kms_key.this.key_id
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:The account's own statement is what lets its IAM policies decide.
  #checkov:skip=CKV_AWS_111:In a key policy the resource "*" is this key.
  #checkov:skip=CKV_AWS_356:In a key policy the resource "*" is this key.
  # The account decides by its own IAM policies who uses the key. In a key policy "*" means this key.
  statement {
    sid       = "AccountDecides"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account}:root"]
    }
  }

  statement {
    sid       = "AlarmsPublish"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_sns_topic" "oncall" {
  name              = "${local.prefix}-oncall"
  display_name      = "Firebreak ${var.environment}"
  kms_master_key_id = aws_kms_key.this.arn
}

data "aws_iam_policy_document" "oncall" {
  statement {
    sid       = "AlarmsPublish"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.oncall.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${local.prefix}-*"]
    }
  }
}

resource "aws_sns_topic_policy" "oncall" {
  arn    = aws_sns_topic.oncall.arn
  policy = data.aws_iam_policy_document.oncall.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.oncall_emails

  topic_arn = aws_sns_topic.oncall.arn
  protocol  = "email"
  endpoint  = each.key
}

# The notifier's own clock: a tick waits here until an incident is to be looked at again. Shape: wiring/ticks.json.
# Why a queue: docs/decisions/0004-ticks-in-a-delay-queue.md.
locals {
  ticks = jsondecode(file("${local.wiring}/ticks.json"))

  tick_statements = [
    {
      sid       = "SetAndTakeTicks"
      actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"]
      resources = [aws_sqs_queue.ticks.arn]
    },
  ]
}

resource "aws_sqs_queue" "ticks" {
  name                       = "${local.prefix}-ticks"
  message_retention_seconds  = tonumber(local.ticks.queue.MessageRetentionPeriod)
  visibility_timeout_seconds = tonumber(local.ticks.queue.VisibilityTimeout)
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters["ticks"].arn
    maxReceiveCount     = local.ticks.max_receive_count
  })
}

# One tick at a time: the slow channel of one incident holds up no other.
resource "aws_lambda_event_source_mapping" "ticks" {
  event_source_arn        = aws_sqs_queue.ticks.arn
  function_name           = module.function["notifier"].alias_arn
  batch_size              = local.ticks.mapping.BatchSize
  function_response_types = local.ticks.mapping.FunctionResponseTypes

  # After a storm all groups are due at once; intake needs its share of the account's concurrency.
  scaling_config {
    maximum_concurrency = 50
  }
}
