# The functions: one map entry each, all made by the same module. What each may do stands in its `statements`.
locals {
  table_statements = [
    {
      sid = "UseIncidentItems"
      actions = [
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
      ]
      resources = [aws_dynamodb_table.incidents.arn]
    },
    {
      sid       = "QueryTheBoard"
      actions   = ["dynamodb:Query"]
      resources = ["${aws_dynamodb_table.incidents.arn}/index/board"]
    },
  ]

  secret_statements = [
    {
      sid       = "ReadSecret"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [aws_secretsmanager_secret.webhooks.arn]
    },
    {
      sid       = "DecryptSecret"
      actions   = ["kms:Decrypt"]
      resources = [aws_kms_key.this.arn]
      conditions = [{
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${local.region}.amazonaws.com"]
      }]
    },
  ]

  intake_statements = [
    {
      sid       = "SpillWhatCannotBeStored"
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.spill.arn]
    },
    {
      sid       = "TakeInWhatWaits"
      actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      resources = [aws_sqs_queue.spill.arn, aws_sqs_queue.alert_events.arn]
    },
  ]

  relay_statements = [
    {
      sid       = "ReadStream"
      actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = [aws_dynamodb_table.incidents.stream_arn]
    },
    {
      sid       = "ListStreams"
      actions   = ["dynamodb:ListStreams"]
      resources = ["*"]
    },
    {
      sid       = "PutEvents"
      actions   = ["events:PutEvents"]
      resources = [aws_cloudwatch_event_bus.this.arn]
    },
    {
      sid       = "KeepFailedRecords"
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.dead_letters["relay"].arn]
    },
  ]

  publish_statements = [
    {
      sid       = "TellOncall"
      actions   = ["sns:Publish"]
      resources = [aws_sns_topic.oncall.arn]
    },
    {
      sid       = "EncryptForOncall"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [aws_kms_key.this.arn]
      conditions = [{
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sns.${local.region}.amazonaws.com"]
      }]
    },
  ]

  # Generated from the action specs of the core; one list per action family.
  action_statements = jsondecode(templatefile("${local.wiring}/permissions.json", {
    account   = local.account
    partition = local.partition
    region    = local.region
  }))

  # A role that acts by tag must not be able to choose its own targets by tagging them.
  never_retag = {
    sid       = "NeverRetag"
    effect    = "Deny"
    actions   = ["ec2:CreateTags", "ec2:DeleteTags"]
    resources = ["*"]
  }

  common_environment = {
    RUST_LOG = var.log_level
  }
  table_environment = merge(local.common_environment, {
    TABLE_NAME = aws_dynamodb_table.incidents.name
  })
  # Intake and decisions must agree on it.
  reopen_environment = {
    REOPEN_WITHIN = var.reopen_within
  }

  secret_environment = {
    SECRET_ID = aws_secretsmanager_secret.webhooks.name
  }

  functions = {
    alert_ingest = {
      description = "Authenticates, parses and deduplicates alerts, and records what is new."
      artifact    = "alert_ingest"
      memory_size = 512
      timeout     = 25
      environment = merge(local.table_environment, local.secret_environment, local.reopen_environment, {
        (local.spill.environment) = aws_sqs_queue.spill.url
      })
      statements = concat(local.table_statements, local.secret_statements, local.intake_statements)
    }
    event_relay = {
      description = "Puts recorded events on the bus."
      artifact    = "event_relay"
      memory_size = 256
      timeout     = 30
      environment = merge(local.common_environment, { EVENT_BUS_NAME = aws_cloudwatch_event_bus.this.name })
      statements  = local.relay_statements
    }
    runbook_action = {
      description = "Decides the next step of an incident. Touches the incident table only."
      artifact    = "runbook_action"
      memory_size = 256
      timeout     = 30
      dead_letter = "runbook_action"
      environment = merge(local.table_environment, local.reopen_environment)
      statements  = local.table_statements
    }
    runbook_action_ec2 = {
      description = "Executes planned EC2 steps."
      artifact    = "runbook_action"
      memory_size = 256
      timeout     = 90
      environment = merge(local.table_environment, { ACTION_FAMILY = "ec2" })
      statements  = concat(local.table_statements, local.action_statements.ec2, [local.never_retag])
    }
    runbook_action_http = {
      description = "Executes planned steps that are HTTP calls to allowed origins."
      artifact    = "runbook_action"
      memory_size = 256
      timeout     = 90
      environment = merge(local.table_environment, {
        ACTION_FAMILY = "http"
        FLAG_ORIGINS  = join(",", var.flag_origins)
      })
      statements = concat(local.table_statements, local.action_statements.http)
    }
    notifier = {
      description = "Tells people through the configured channels."
      artifact    = "notifier"
      memory_size = 256
      timeout     = 60
      dead_letter = "notifier"
      environment = merge(local.table_environment, local.secret_environment, {
        CHANNELS = jsonencode(merge(
          { for name, channel in var.channels : name => { for key, value in channel : key => value if value != null } },
          { oncall = { kind = "sns", topic_arn = aws_sns_topic.oncall.arn } },
        ))
        (local.ticks.environment) = aws_sqs_queue.ticks.url
      })
      statements = concat(local.table_statements, local.secret_statements, local.publish_statements, local.tick_statements)
    }
  }
}

module "function" {
  source   = "./modules/lambda_function"
  for_each = local.functions

  name                     = "${local.prefix}-${each.key}"
  description              = each.value.description
  zip_path                 = "${var.artifact_dir}/${each.value.artifact}.zip"
  architecture             = var.architecture
  memory_size              = each.value.memory_size
  timeout                  = each.value.timeout
  reserved_concurrency     = lookup(var.reserved_concurrency, each.key, -1)
  environment              = each.value.environment
  statements               = each.value.statements
  has_dead_letter          = can(each.value.dead_letter)
  dead_letter_arn          = try(aws_sqs_queue.dead_letters[each.value.dead_letter].arn, null)
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
  alarm_topic_arn          = aws_sns_topic.oncall.arn
}
