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
