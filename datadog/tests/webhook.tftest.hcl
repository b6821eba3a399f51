# What the webhook must say, and which inputs are refused.
variables {
  webhook_token = "0123456789abcdef0123456789abcdef"
  webhook_url   = "https://abc.execute-api.eu-west-1.amazonaws.com/webhooks/datadog"
}

provider "datadog" {
  api_url = "https://api.datadoghq.eu/"
}

run "webhook" {
  command = apply
  module {
    source = "./modules/webhook"
  }

  assert {
    condition     = datadog_webhook.this.url == var.webhook_url && datadog_webhook.this.encode_as == "json"
    error_message = "the webhook must send JSON to Firebreak"
  }

  assert {
    condition     = jsondecode(datadog_webhook.this.custom_headers) == { Authorization = "Bearer $FIREBREAK_TOKEN" }
    error_message = "the webhook must authenticate by the hidden variable, and not hold the token itself"
  }

  assert {
    condition     = one(datadog_webhook_custom_variable.token).name == "FIREBREAK_TOKEN" && one(datadog_webhook_custom_variable.token).is_secret
    error_message = "the variable must be hidden"
  }

  assert {
    condition     = one(datadog_webhook_custom_variable.token).value == var.webhook_token
    error_message = "the variable must hold the token"
  }

  assert {
    condition     = jsondecode(datadog_webhook.this.payload).schema == "firebreak.datadog.v1"
    error_message = "the template must name its schema"
  }

  assert {
    condition = alltrue([
      for name in ["cycle_key", "monitor_id", "transition", "scope"] : can(regex("^\\$[A-Z_]+$", jsondecode(datadog_webhook.this.payload)[name]))
    ])
    error_message = "the template must say which alert it is, and whether it is over"
  }

  assert {
    condition     = output.handle == "@webhook-firebreak"
    error_message = "monitors must get the handle"
  }
}

run "webhook_without_the_token" {
  command = apply
  module {
    source = "./modules/webhook"
  }
  variables {
    webhook_token = null
  }

  assert {
    condition     = length(datadog_webhook_custom_variable.token) == 0
    error_message = "without the token nothing of it may be in the state"
  }

  assert {
    condition     = jsondecode(datadog_webhook.this.custom_headers) == { Authorization = "Bearer $FIREBREAK_TOKEN" }
    error_message = "the webhook must still authenticate by the hidden variable"
  }
}

run "refuses_plain_http" {
  command = plan
  module {
    source = "./modules/webhook"
  }
  variables {
    webhook_url = "http://abc.example.com/webhooks/datadog"
  }
  expect_failures = [var.webhook_url]
}

run "refuses_a_password_in_the_address" {
  command = plan
  module {
    source = "./modules/webhook"
  }
  variables {
    webhook_url = "https://user:secret@abc.example.com/webhooks/datadog"
  }
  expect_failures = [var.webhook_url]
}

run "refuses_another_source" {
  command = plan
  module {
    source = "./modules/webhook"
  }
  variables {
    webhook_url = "https://abc.example.com/webhooks/sumologic"
  }
  expect_failures = [var.webhook_url]
}

run "refuses_a_short_token" {
  command = plan
  module {
    source = "./modules/webhook"
  }
  variables {
    webhook_token = "short"
  }
  expect_failures = [var.webhook_token]
}

run "refuses_a_variable_that_datadog_would_not_find" {
  command = plan
  module {
    source = "./modules/webhook"
  }
  variables {
    token_variable = "firebreak-token"
  }
  expect_failures = [var.token_variable]
}
