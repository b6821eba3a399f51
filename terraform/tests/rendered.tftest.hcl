# What the rendered stack must say: names, wiring, policies, patterns and the state machine.
variables {
  environment  = "test"
  artifact_dir = "../artifacts"
}

run "rendered" {
  command = apply

  # Functions
  assert {
    condition = { for key, function in module.function : key => function.function_name } == {
      for key in ["alert_ingest", "event_relay", "notifier", "runbook_action", "runbook_action_ec2", "runbook_action_http"] :
      key => "firebreak-test-${key}"
    }
    error_message = "each function key must give the function <name>-<environment>-<key>"
  }

  assert {
    condition = { for key, function in local.functions : key => join(" ", keys(function.environment)) } == {
      alert_ingest        = "REOPEN_WITHIN RUST_LOG SECRET_ID SPILL_QUEUE_URL TABLE_NAME"
      event_relay         = "EVENT_BUS_NAME RUST_LOG"
      notifier            = "CHANNELS RUST_LOG SECRET_ID TABLE_NAME TICK_QUEUE_URL"
      runbook_action      = "REOPEN_WITHIN RUST_LOG TABLE_NAME"
      runbook_action_ec2  = "ACTION_FAMILY RUST_LOG TABLE_NAME"
      runbook_action_http = "ACTION_FAMILY FLAG_ORIGINS RUST_LOG TABLE_NAME"
    }
    error_message = "a function lacks a variable that it reads, or has one too many"
  }

  assert {
    condition = alltrue([
      for function in values(local.functions) : try(function.environment.TABLE_NAME, aws_dynamodb_table.incidents.name) == aws_dynamodb_table.incidents.name
    ])
    error_message = "TABLE_NAME must be the incident table"
  }

  assert {
    condition     = jsondecode(local.functions.notifier.environment.CHANNELS) == { oncall = { kind = "sns", topic_arn = aws_sns_topic.oncall.arn } }
    error_message = "the channel oncall must be the SNS topic"
  }

  assert {
    condition     = local.functions.alert_ingest.memory_size == 512
    error_message = "ingest needs 512 MB for its first TLS connection"
  }

  # Least privilege
  assert {
    condition = alltrue([
      for statement in jsondecode(module.function["runbook_action"].policy).Statement :
      alltrue([for action in flatten([statement.Action]) : anytrue([for prefix in ["dynamodb:", "logs:", "sqs:"] : startswith(action, prefix)])])
    ])
    error_message = "the deciding function may touch the incident table, its log and its dead letters only"
  }

  assert {
    condition = alltrue([
      for key, function in module.function :
      key == "runbook_action_ec2" || !strcontains(function.policy, "\"ec2:")
    ])
    error_message = "only runbook_action_ec2 may call EC2"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(module.function["runbook_action_ec2"].policy).Statement :
      statement.Effect == "Deny"
      || length([for action in flatten([statement.Action]) : action if startswith(action, "ec2:") && !startswith(action, "ec2:Describe")]) == 0
      || try(statement.Condition.StringEquals["aws:ResourceTag/firebreak"], "") == "allow"
    ])
    error_message = "every EC2 statement that changes something must ask for the tag firebreak=allow"
  }

  assert {
    condition = anytrue([
      for statement in jsondecode(module.function["runbook_action_ec2"].policy).Statement :
      statement.Effect == "Deny" && toset(flatten([statement.Action])) == toset(["ec2:CreateTags", "ec2:DeleteTags"]) && statement.Resource == "*"
    ])
    error_message = "the role that acts by tag must not be able to set tags"
  }

  assert {
    condition = alltrue([
      for function in values(module.function) : !strcontains(function.policy, "dynamodb:DeleteItem") && !strcontains(function.policy, "dynamodb:Scan")
    ])
    error_message = "nothing may delete from the incident table or scan it"
  }

  assert {
    condition = toset(flatten([for s in jsondecode(data.aws_iam_policy_document.remediation.json).Statement : s.Resource if s.Sid == "InvokeFunctions"])) == toset([
      for key in ["runbook_action", "runbook_action_ec2", "runbook_action_http"] : module.function[key].alias_arn
    ])
    error_message = "the state machine may invoke exactly its three aliases"
  }

  # Table and stream
  assert {
    condition = alltrue([
      aws_dynamodb_table.incidents.hash_key == "pk",
      aws_dynamodb_table.incidents.range_key == "sk",
      aws_dynamodb_table.incidents.stream_view_type == "NEW_IMAGE",
      aws_dynamodb_table.incidents.ttl[0].attribute_name == "expires_at",
      aws_dynamodb_table.incidents.point_in_time_recovery[0].enabled,
      aws_dynamodb_table.incidents.server_side_encryption[0].enabled,
    ])
    error_message = "the table must have its keys, stream, expiry, recovery and encryption"
  }

  assert {
    condition     = [for index in aws_dynamodb_table.incidents.global_secondary_index : "${index.name}:${index.hash_key}:${index.range_key}:${index.projection_type}"] == ["board:board_pk:board_sk:ALL"]
    error_message = "the index board must be there"
  }

  assert {
    condition     = jsondecode(one(one(aws_lambda_event_source_mapping.relay.filter_criteria).filter).pattern) == jsondecode(file("wiring/stream_filter.json"))
    error_message = "the relay must see inserted events only"
  }

  # Bus
  assert {
    condition     = toset(jsondecode(aws_cloudwatch_event_rule.this["remediate"].event_pattern)["detail-type"]) == toset(["alert.fired", "incident.resolved", "incident.unmuted", "run.proposed"])
    error_message = "the machine starts for an alert that fired, for what is muted no more, and to close what resolved, and for nothing else"
  }

  assert {
    condition     = contains(jsondecode(aws_cloudwatch_event_rule.this["notify"].event_pattern)["detail-type"], "incident.resolved")
    error_message = "people who were told must be told of the end"
  }

  assert {
    condition = alltrue([
      aws_cloudwatch_event_rule.this["failed_runs"].event_bus_name == "default",
      jsondecode(aws_cloudwatch_event_rule.this["failed_runs"].event_pattern).detail.stateMachineArn == [aws_sfn_state_machine.remediation.arn],
    ])
    error_message = "failed runs of this machine come from the default bus"
  }

  assert {
    condition     = aws_cloudwatch_event_target.this["remediate"].input_path == "$.detail"
    error_message = "the state machine's input is the event's detail"
  }

  assert {
    condition     = aws_cloudwatch_event_archive.this.retention_days == 30
    error_message = "the archive keeps thirty days"
  }

  # Ticks
  assert {
    condition = alltrue([
      local.functions.notifier.environment.TICK_QUEUE_URL == aws_sqs_queue.ticks.url,
      aws_lambda_event_source_mapping.ticks.event_source_arn == aws_sqs_queue.ticks.arn,
      aws_lambda_event_source_mapping.ticks.function_name == module.function["notifier"].alias_arn,
      aws_lambda_event_source_mapping.ticks.batch_size == 1,
    ])
    error_message = "the notifier must get its ticks back, one at a time"
  }

  # State machine
  assert {
    condition     = jsondecode(aws_sfn_state_machine.remediation.definition).States.Advance.Arguments.FunctionName == module.function["runbook_action"].alias_arn
    error_message = "Advance must invoke the deciding function's alias"
  }

  assert {
    condition = jsondecode(aws_sfn_state_machine.remediation.definition).States.Start.Assign.act_arns == {
      ec2  = module.function["runbook_action_ec2"].alias_arn
      http = module.function["runbook_action_http"].alias_arn
    }
    error_message = "each action family must have its function's alias"
  }

  assert {
    condition     = aws_sfn_state_machine.remediation.type == "STANDARD" && jsondecode(aws_sfn_state_machine.remediation.definition).QueryLanguage == "JSONata"
    error_message = "the machine must be a Standard one in JSONata"
  }

  # API
  assert {
    condition     = toset([for route in aws_apigatewayv2_route.webhooks : route.route_key]) == toset(["POST /webhooks/{source}", "PUT /webhooks/{source}", "GET /healthz"])
    error_message = "the API must have its routes; Grafana may be set to PUT"
  }

  # Secrets
  assert {
    condition     = strcontains(module.function["alert_ingest"].policy, aws_secretsmanager_secret.webhooks.arn)
    error_message = "ingest must be able to read the secret"
  }
}
