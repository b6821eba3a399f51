# Inputs that must be refused, and the defaults that must hold.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  environment  = "test"
  artifact_dir = "../artifacts"
}

run "defaults" {
  command = plan

  assert {
    condition     = aws_cloudwatch_event_bus.this.name == "firebreak-test"
    error_message = "names must be <name>-<environment>"
  }

  assert {
    condition     = aws_dynamodb_table.incidents.deletion_protection_enabled
    error_message = "the incident table must be protected against deletion by default"
  }

  assert {
    condition     = aws_apigatewayv2_stage.default.default_route_settings[0].throttling_rate_limit >= 1000
    error_message = "the default throttle must be well above a storm"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 0
    error_message = "nobody is subscribed by default"
  }
}

run "subscribes_each_address" {
  command = plan
  variables {
    oncall_emails = ["a@example.com", "b@example.com"]
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 2
    error_message = "each address needs a subscription"
  }
}

run "refuses_an_unknown_architecture" {
  command = plan
  variables {
    architecture = "riscv64"
  }
  expect_failures = [var.architecture]
}

run "refuses_a_trailing_slash" {
  command = plan
  variables {
    artifact_dir = "../artifacts/"
  }
  expect_failures = [var.artifact_dir]
}

run "refuses_a_plain_http_channel" {
  command = plan
  variables {
    channels = { hook = { kind = "webhook", url = "http://example.com" } }
  }
  expect_failures = [var.channels]
}

run "refuses_to_replace_oncall" {
  command = plan
  variables {
    channels = { oncall = { kind = "webhook", url = "https://example.com" } }
  }
  expect_failures = [var.channels]
}

run "refuses_a_bad_environment" {
  command = plan
  variables {
    environment = "Production-EU"
  }
  expect_failures = [var.environment]
}

run "refuses_a_flag_origin_with_a_path" {
  command = plan
  variables {
    flag_origins = ["https://flags.example.com/v1"]
  }
  expect_failures = [var.flag_origins]
}

run "refuses_an_odd_retention" {
  command = plan
  variables {
    log_retention_days = 31
  }
  expect_failures = [var.log_retention_days]
}

run "refuses_a_bad_name" {
  command = plan
  variables {
    name = "Fire Break"
  }
  expect_failures = [var.name]
}

run "refuses_a_large_batch" {
  command = plan
  variables {
    relay_batch_size = 1000
  }
  expect_failures = [var.relay_batch_size]
}

run "refuses_an_unknown_function" {
  command = plan
  variables {
    reserved_concurrency = { runbook = 0 }
  }
  expect_failures = [var.reserved_concurrency]
}

run "refuses_a_tight_throttle" {
  command = plan
  variables {
    webhook_rate_limit = 1
  }
  expect_failures = [var.webhook_rate_limit]
}

run "refuses_an_unknown_event" {
  command = plan
  variables {
    alert_events = ["cloudwatch", "cloudtrail"]
  }
  expect_failures = [var.alert_events]
}

run "refuses_a_fifo_topic" {
  command = plan
  variables {
    alarm_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:alarms.fifo"]
  }
  expect_failures = [var.alarm_topic_arns]
}

run "refuses_an_unknown_authorizer" {
  command = plan
  variables {
    authorizers = { datadog = { kind = "lambda" } }
  }
  expect_failures = [var.authorizers]
}

run "refuses_a_token_of_nobody" {
  command = plan
  variables {
    authorizers = { datadog = { kind = "jwt", issuer = "https://idp.example.com" } }
  }
  expect_failures = [var.authorizers]
}
