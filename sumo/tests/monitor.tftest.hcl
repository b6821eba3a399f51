# What the monitor and the connection must say, and which inputs are refused.
variables {
  sumo_deployment = "eu"
  webhook_token   = "0123456789abcdef0123456789abcdef"
  webhook_url     = "https://abc.execute-api.eu-west-1.amazonaws.com/webhooks/sumologic"
}

run "connection" {
  command = apply

  assert {
    condition     = sumologic_connection.firebreak.type == "WebhookConnection"
    error_message = "the connection must be a webhook"
  }

  assert {
    condition     = sumologic_connection.firebreak.headers["Authorization"] == "Bearer ${var.webhook_token}"
    error_message = "the connection must authenticate"
  }

  assert {
    condition     = sumologic_connection.firebreak.default_payload == sumologic_connection.firebreak.resolution_payload
    error_message = "alert and recovery must have one template"
  }

  assert {
    condition     = jsondecode(sumologic_connection.firebreak.default_payload).schema == "firebreak.sumologic.v1"
    error_message = "the template must name its schema"
  }

  assert {
    condition = alltrue([
      for value in values(jsondecode(sumologic_connection.firebreak.default_payload).group) : can(regex("^\\{\\{ResultsJson\\.[a-z_]+\\}\\}$", value))
    ])
    error_message = "each group key must come from the first result row"
  }

  assert {
    condition     = keys(jsondecode(sumologic_connection.firebreak.default_payload).group) == ["env", "instance_id", "service"]
    error_message = "the template must carry service, env and instance_id"
  }

  assert {
    condition     = jsondecode(sumologic_connection.firebreak.default_payload).alert_url == "{{AlertResponseUrl}}"
    error_message = "a recovery has no result rows: it must carry the alert's own address"
  }
}

run "monitor" {
  command = apply

  assert {
    condition     = sumologic_monitor.slow_api_data.name == "slow-api-data"
    error_message = "runbooks match the monitor by this name"
  }

  assert {
    condition     = one(one(one(sumologic_monitor.slow_api_data.trigger_conditions).logs_static_condition).critical).time_range == "10m"
    error_message = "the window must be 10 minutes"
  }

  assert {
    condition = alltrue([
      one(one(one(one(sumologic_monitor.slow_api_data.trigger_conditions).logs_static_condition).critical).alert).threshold == 5,
      one(one(one(one(sumologic_monitor.slow_api_data.trigger_conditions).logs_static_condition).critical).alert).threshold_type == "GreaterThan",
    ])
    error_message = "the alert must fire above 5 events"
  }

  assert {
    condition     = one(one(one(one(sumologic_monitor.slow_api_data.trigger_conditions).logs_static_condition).critical).resolution).threshold_type == "LessThanOrEqual"
    error_message = "the alert must resolve at 5 events or fewer"
  }

  assert {
    condition     = one(sumologic_monitor.slow_api_data.notifications).run_for_trigger_types == tolist(["Critical", "ResolvedCritical"])
    error_message = "the alert and its recovery must both be sent"
  }

  assert {
    condition     = one(one(sumologic_monitor.slow_api_data.notifications).notification).connection_id == sumologic_connection.firebreak.id
    error_message = "the monitor must notify the connection"
  }

  assert {
    condition     = sumologic_monitor.slow_api_data.group_notifications && sumologic_monitor.slow_api_data.notification_group_fields == tolist(["instance_id"])
    error_message = "alerts must be grouped by instance"
  }

  assert {
    condition = alltrue([
      for text in ["/api/data", "> 3000", "by service, env, instance_id", "as ${one(one(sumologic_monitor.slow_api_data.trigger_conditions).logs_static_condition).field}"] :
      strcontains(one(sumologic_monitor.slow_api_data.queries).query, text)
    ])
    error_message = "the query must count what the condition reads, with the fields that the template sends"
  }
}

run "refuses_plain_http" {
  command = plan
  variables {
    webhook_url = "http://abc.example.com/webhooks/sumologic"
  }
  expect_failures = [var.webhook_url]
}

run "refuses_another_source" {
  command = plan
  variables {
    webhook_url = "https://abc.example.com/webhooks/datadog"
  }
  expect_failures = [var.webhook_url]
}

run "refuses_a_short_token" {
  command = plan
  variables {
    webhook_token = "short"
  }
  expect_failures = [var.webhook_token]
}

run "refuses_an_unknown_deployment" {
  command = plan
  variables {
    sumo_deployment = "Europe"
  }
  expect_failures = [var.sumo_deployment]
}
