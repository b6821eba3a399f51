# What a user gets by applying this folder as it is, and with more of his own.
variables {
  datadog_site  = "datadoghq.eu"
  webhook_token = "0123456789abcdef0123456789abcdef"
  webhook_url   = "https://abc.execute-api.eu-west-1.amazonaws.com/webhooks/datadog"
}

run "as_it_is" {
  command = apply

  assert {
    condition     = keys(output.monitor_ids) == ["slow-api-data"] && output.handle == "@webhook-firebreak"
    error_message = "the monitor that ships must be made, and the handle given"
  }

  assert {
    condition = alltrue([
      for text in ["/api/data", "@duration:>3000000000", "by(\"service,env,instance_id\")", "last(\"10m\")"] :
      strcontains(local.shipped_monitors["slow-api-data"].query, text)
    ])
    error_message = "it must count slow responses of /api/data on each instance"
  }
}

run "with_more" {
  command = apply
  variables {
    monitors = {
      checkout-errors = {
        type     = "query alert"
        query    = "avg(last_5m):sum:checkout.errors{*} by {service} > 10"
        message  = "Checkout fails."
        priority = 2
        critical = 10
      }
    }
  }

  assert {
    condition     = keys(output.monitor_ids) == ["checkout-errors", "slow-api-data"]
    error_message = "own monitors must stand beside the one that ships"
  }
}

run "refuses_an_unknown_site" {
  command = plan
  variables {
    datadog_site = "https://app.datadoghq.eu"
  }
  expect_failures = [var.datadog_site]
}
