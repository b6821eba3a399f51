# What monitors must say, and which are refused.
variables {
  handle = "@webhook-firebreak"
  monitors = {
    checkout-errors = {
      type              = "query alert"
      query             = "avg(last_5m):sum:checkout.errors{env:prod} by {service} > 10"
      message           = "Checkout fails.\n"
      priority          = 2
      critical          = 10
      critical_recovery = 5
      warning           = 7
      on_missing_data   = "show_and_notify_no_data"
    }
  }
}

provider "datadog" {
  api_url = "https://api.datadoghq.eu/"
}

run "monitors" {
  command = apply
  module {
    source = "./modules/monitors"
  }

  assert {
    condition     = datadog_monitor.this["checkout-errors"].message == "Checkout fails.\n\n@webhook-firebreak"
    error_message = "every message must end in the handle, outside of any condition"
  }

  assert {
    condition     = datadog_monitor.this["checkout-errors"].name == "checkout-errors" && datadog_monitor.this["checkout-errors"].priority == "2"
    error_message = "runbooks match the name, and the severity is read from the priority"
  }

  assert {
    condition     = one(datadog_monitor.this["checkout-errors"].monitor_thresholds).critical == "10" && one(datadog_monitor.this["checkout-errors"].monitor_thresholds).critical_recovery == "5"
    error_message = "thresholds must be those given"
  }

  assert {
    condition     = datadog_monitor.this["checkout-errors"].renotify_interval == 0
    error_message = "a monitor must not remind Firebreak of what it knows"
  }
}

run "refuses_a_name_that_runbooks_cannot_match" {
  command = plan
  module {
    source = "./modules/monitors"
  }
  variables {
    monitors = { "Checkout errors" = { type = "query alert", query = "x > 1", message = "x", priority = 1, critical = 1 } }
  }
  expect_failures = [var.monitors]
}

run "refuses_a_threshold_that_the_query_does_not_have" {
  command = plan
  module {
    source = "./modules/monitors"
  }
  variables {
    monitors = { odd = { type = "query alert", query = "x > 10", message = "x", priority = 1, critical = 20 } }
  }
  expect_failures = [var.monitors]
}

run "refuses_a_recovery_on_the_wrong_side" {
  command = plan
  module {
    source = "./modules/monitors"
  }
  variables {
    monitors = { odd = { type = "query alert", query = "x > 10", message = "x", priority = 1, critical = 10, critical_recovery = 20 } }
  }
  expect_failures = [var.monitors]
}

run "refuses_a_second_handle" {
  command = plan
  module {
    source = "./modules/monitors"
  }
  variables {
    monitors = { twice = { type = "query alert", query = "x > 1", message = "x @webhook-firebreak", priority = 1, critical = 1 } }
  }
  expect_failures = [var.monitors]
}

run "refuses_an_unknown_priority" {
  command = plan
  module {
    source = "./modules/monitors"
  }
  variables {
    monitors = { odd = { type = "query alert", query = "x > 1", message = "x", priority = 0, critical = 1 } }
  }
  expect_failures = [var.monitors]
}
