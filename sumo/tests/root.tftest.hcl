# What a user gets by applying this folder as it is, and with more of his own.
variables {
  sumo_deployment = "eu"
  webhook_token   = "0123456789abcdef0123456789abcdef"
  webhook_url     = "https://abc.execute-api.eu-west-1.amazonaws.com/webhooks/sumologic"
}

run "as_it_is" {
  command = apply

  assert {
    condition     = keys(output.monitor_ids) == ["slow-api-data"]
    error_message = "runbooks match the monitor by this name"
  }

  assert {
    condition     = local.shipped_monitors["slow-api-data"].critical == { threshold = 5, time_range = "10m", frequency = "1m" }
    error_message = "it must fire above 5 slow responses in 10 minutes"
  }

  assert {
    condition = alltrue([
      for text in ["/api/data", "> 3000", "as ${local.shipped_monitors["slow-api-data"].field}", "by service, env, instance_id"] :
      strcontains(local.shipped_monitors["slow-api-data"].query, text)
    ])
    error_message = "the query must count what the threshold is for, with the fields that the template sends"
  }

  assert {
    condition     = output.search_ids == {}
    error_message = "no scheduled search ships"
  }
}

run "with_more" {
  command = apply
  variables {
    search_folder_id = "0000000000A1B2C3"
    monitors = {
      error-ratio = {
        description  = "Too many errors."
        query        = "_sourceCategory=*/api | count as errors by service"
        group_fields = ["service"]
        warning      = { threshold = 3 }
      }
    }
    scheduled_searches = {
      failed-logins = {
        description  = "Failed logins by user."
        query        = "_sourceCategory=auth \"login failed\" | count by user"
        label_fields = ["user"]
      }
    }
  }

  assert {
    condition     = keys(output.monitor_ids) == ["error-ratio", "slow-api-data"] && keys(output.search_ids) == ["failed-logins"]
    error_message = "own monitors and searches must stand beside those that ship"
  }
}

run "refuses_searches_without_a_folder" {
  command = plan
  variables {
    scheduled_searches = {
      failed-logins = { description = "x", query = "_sourceCategory=auth | count by user" }
    }
  }
  expect_failures = [var.search_folder_id]
}

run "refuses_an_unknown_deployment" {
  command = plan
  variables {
    sumo_deployment = "Europe"
  }
  expect_failures = [var.sumo_deployment]
}
