# What the connection must say, and which inputs are refused.
variables {
  webhook_token = "0123456789abcdef0123456789abcdef"
  webhook_url   = "https://abc.execute-api.eu-west-1.amazonaws.com/webhooks/sumologic"
}

provider "sumologic" {
  environment = "eu"
}

run "connection" {
  command = apply
  module {
    source = "./modules/connection"
  }

  assert {
    condition     = sumologic_connection.this.type == "WebhookConnection" && sumologic_connection.this.webhook_type == "Webhook"
    error_message = "the connection must be a webhook"
  }

  assert {
    condition     = sumologic_connection.this.headers["Authorization"] == "Bearer ${var.webhook_token}"
    error_message = "the connection must authenticate"
  }

  assert {
    condition     = sumologic_connection.this.default_payload == sumologic_connection.this.resolution_payload
    error_message = "alert and recovery must have one template"
  }

  assert {
    condition     = jsondecode(sumologic_connection.this.default_payload).schema == "firebreak.sumologic.v1"
    error_message = "the template must name its schema"
  }

  assert {
    condition     = jsondecode(sumologic_connection.this.default_payload).alert_url == "{{AlertResponseUrl}}"
    error_message = "a recovery has no result rows: it must carry the alert's own address"
  }

  assert {
    condition     = output.connection == { id = sumologic_connection.this.id, payload = sumologic_connection.this.default_payload }
    error_message = "monitors must get the id and the template"
  }
}

run "refuses_plain_http" {
  command = plan
  module {
    source = "./modules/connection"
  }
  variables {
    webhook_url = "http://abc.example.com/webhooks/sumologic"
  }
  expect_failures = [var.webhook_url]
}

run "refuses_another_source" {
  command = plan
  module {
    source = "./modules/connection"
  }
  variables {
    webhook_url = "https://abc.example.com/webhooks/datadog"
  }
  expect_failures = [var.webhook_url]
}

run "refuses_a_short_token" {
  command = plan
  module {
    source = "./modules/connection"
  }
  variables {
    webhook_token = "short"
  }
  expect_failures = [var.webhook_token]
}
