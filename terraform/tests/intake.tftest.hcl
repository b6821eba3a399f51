# What reaches alert_ingest beside webhooks, and what waits when the store is down.
variables {
  environment  = "test"
  artifact_dir = "../artifacts"
}

run "as_it_is" {
  command = apply

  # Events of AWS
  assert {
    condition     = toset(keys(aws_cloudwatch_event_rule.alert_events)) == toset([for file in fileset("wiring/alert_events", "*.json") : trimsuffix(file, ".json")])
    error_message = "each pattern must have its rule"
  }

  assert {
    condition = alltrue([
      for name, rule in aws_cloudwatch_event_rule.alert_events : jsondecode(rule.event_pattern) == jsondecode(file("wiring/alert_events/${name}.json"))
    ])
    error_message = "a rule must let through what its file says"
  }

  assert {
    condition = alltrue([
      for rule in aws_cloudwatch_event_rule.alert_events : alltrue([for source in jsondecode(rule.event_pattern).source : startswith(source, "aws.")])
    ])
    error_message = "only AWS itself may speak through these rules: nobody else can put events with such a source"
  }

  assert {
    condition = alltrue([
      for target in aws_cloudwatch_event_target.alert_events : target.arn == aws_sqs_queue.alert_events.arn && target.event_bus_name == "default"
    ])
    error_message = "events must wait in their queue"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.alarms) == 0
    error_message = "no topic is read unless it is named"
  }

  # Spill
  assert {
    condition = alltrue([
      aws_sqs_queue.spill.fifo_queue,
      endswith(aws_sqs_queue.spill.name, ".fifo"),
      aws_sqs_queue.spill.max_message_size == 1048576,
      aws_sqs_queue.spill.message_retention_seconds == 1209600,
      aws_sqs_queue.spill.deduplication_scope == "messageGroup",
      aws_sqs_queue.spill.fifo_throughput_limit == "perMessageGroupId",
      aws_sqs_queue.spill.content_based_deduplication == false,
      aws_sqs_queue.spill.sqs_managed_sse_enabled,
    ])
    error_message = "the spill must be what wiring/spill.json says"
  }

  assert {
    condition     = local.functions.alert_ingest.environment.SPILL_QUEUE_URL == aws_sqs_queue.spill.url
    error_message = "alert_ingest must know the spill"
  }

  assert {
    condition = { for key, mapping in { spill = aws_lambda_event_source_mapping.spill, alert_events = aws_lambda_event_source_mapping.alert_events } : key => [mapping.event_source_arn, mapping.function_name] } == {
      spill        = [aws_sqs_queue.spill.arn, module.function["alert_ingest"].alias_arn]
      alert_events = [aws_sqs_queue.alert_events.arn, module.function["alert_ingest"].alias_arn]
    }
    error_message = "what waits must come back to alert_ingest"
  }

  assert {
    condition = toset([
      for key, function in module.function : key if strcontains(function.policy, "\"sqs:ReceiveMessage\"")
    ]) == toset(["alert_ingest", "notifier"])
    error_message = "nobody else may take messages"
  }

  # Webhooks
  assert {
    condition     = alltrue([for route in aws_apigatewayv2_route.webhooks : route.authorization_type == "NONE"])
    error_message = "without authorizers, alert_ingest authenticates every request itself"
  }

  assert {
    condition     = endswith(output.sumologic_webhook_url, "/webhooks/sumologic") && endswith(output.datadog_webhook_url, "/webhooks/datadog")
    error_message = "sumo/ and datadog/ must be told where to send"
  }
}

run "chosen_events_and_topics" {
  command = apply
  variables {
    alert_events     = ["cloudwatch", "health"]
    alarm_topic_arns = ["arn:aws:sns:us-east-1:111122223333:alarms"]
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_event_rule.alert_events)) == toset(["cloudwatch", "health"])
    error_message = "only the chosen events may come"
  }

  assert {
    condition = alltrue([
      aws_sns_topic_subscription.alarms["arn:aws:sns:us-east-1:111122223333:alarms"].protocol == "sqs",
      aws_sns_topic_subscription.alarms["arn:aws:sns:us-east-1:111122223333:alarms"].endpoint == aws_sqs_queue.alert_events.arn,
    ])
    error_message = "the topic must feed the queue"
  }
}

run "no_events" {
  command = apply
  variables {
    alert_events = []
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.alert_events) == 0 && length(aws_sqs_queue_policy.alert_events) == 0
    error_message = "without rules and topics nobody may send to the queue"
  }
}

run "authorizers" {
  command = apply
  variables {
    authorizers = {
      datadog   = { kind = "jwt", issuer = "https://idp.example.com", audience = ["firebreak"], scopes = ["alerts/send"] }
      sumologic = { kind = "iam" }
    }
  }

  assert {
    condition = { for route in aws_apigatewayv2_route.webhooks : route.route_key => route.authorization_type } == {
      "GET /healthz"             = "NONE"
      "POST /webhooks/{source}"  = "NONE"
      "POST /webhooks/datadog"   = "JWT"
      "POST /webhooks/sumologic" = "AWS_IAM"
      "PUT /webhooks/{source}"   = "NONE"
      "PUT /webhooks/datadog"    = "JWT"
      "PUT /webhooks/sumologic"  = "AWS_IAM"
    }
    error_message = "the named sources, and no others, must be identified by API Gateway"
  }

  assert {
    condition     = alltrue([for route in ["webhook_datadog", "webhook_put_datadog"] : aws_apigatewayv2_route.webhooks[route].authorizer_id == aws_apigatewayv2_authorizer.jwt["datadog"].id])
    error_message = "the token must be checked by its authorizer"
  }

  assert {
    condition     = one(aws_apigatewayv2_authorizer.jwt["datadog"].jwt_configuration).issuer == "https://idp.example.com"
    error_message = "the authorizer must know the issuer"
  }

  assert {
    condition     = jsondecode(output.sender_policies.sumologic).Statement[0].Resource == "${aws_apigatewayv2_api.webhooks.execution_arn}/$default/POST/webhooks/sumologic"
    error_message = "the sender must get the policy for its route"
  }
}
