# How people are told when it is time, and not only when something happens.
variables {
  environment  = "test"
  artifact_dir = "../artifacts"
}

run "ticks" {
  command = apply

  assert {
    condition     = !coalesce(aws_sqs_queue.ticks.fifo_queue, false)
    error_message = "each tick has a delay of its own, which a FIFO queue does not know"
  }

  assert {
    condition = alltrue([
      for key, function in module.function : key == "notifier" || !strcontains(function.policy, aws_sqs_queue.ticks.arn)
    ])
    error_message = "nobody else may set or take ticks"
  }

  assert {
    condition = { for key in ["alert_ingest", "notifier"] : key => toset(flatten([
      for statement in jsondecode(module.function[key].policy).Statement : statement.Resource
      if contains(flatten([statement.Action]), "sqs:ReceiveMessage")
      ])) } == {
      alert_ingest = toset([aws_sqs_queue.spill.arn, aws_sqs_queue.alert_events.arn])
      notifier     = toset([aws_sqs_queue.ticks.arn])
    }
    error_message = "each may take only what waits for it"
  }

  assert {
    condition     = one(aws_lambda_event_source_mapping.ticks.scaling_config).maximum_concurrency == 50
    error_message = "a storm's ticks must leave concurrency to intake"
  }
}

run "sweep" {
  command = apply

  assert {
    condition     = aws_cloudwatch_event_rule.this["sweep"].schedule_expression == "rate(1 minute)" && aws_cloudwatch_event_rule.this["sweep"].event_bus_name == "default"
    error_message = "expired alerts, ended mutes and silent sources must be looked for every minute"
  }

  assert {
    condition = alltrue([
      aws_cloudwatch_event_target.this["sweep"].arn == module.function["runbook_action"].alias_arn,
      aws_cloudwatch_event_target.this["sweep"].input == "{\"op\":\"sweep\"}",
    ])
    error_message = "the deciding function must be asked to sweep"
  }

  assert {
    condition     = alltrue([for key, rule in aws_cloudwatch_event_rule.this : (rule.event_pattern == null) == (key == "sweep")])
    error_message = "only the sweep follows the clock"
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.quarantined.log_group_name == "/aws/lambda/firebreak-test-alert_ingest"
    error_message = "what goes to quarantine stands in the log of alert_ingest"
  }
}
