# What monitors must say, and which are refused.
variables {
  connection = {
    id      = "0000000000ABC123"
    payload = "{\n  \"schema\": \"firebreak.sumologic.v1\",\n  \"group\": {\n    \"service\": \"{{ResultsJson.service}}\",\n    \"env\": \"{{ResultsJson.env}}\"\n  },\n  \"results\": \"{{ResultsJson}}\"\n}\n"
  }
  monitors = {
    slow-api-data = {
      description  = "Slow."
      query        = "_sourceCategory=*/api | count as slow_requests by service, env, instance_id\n"
      field        = "slow_requests"
      group_fields = ["instance_id"]
      critical     = { threshold = 5, time_range = "10m", frequency = "1m" }
    }
    cpu = {
      type         = "Metrics"
      description  = "Busy."
      query        = "metric=CPU_User | avg by host"
      group_fields = ["host"]
      label_fields = []
      critical     = { threshold = 95, time_range = "15m" }
      warning      = { threshold = 80, threshold_type = "GreaterThanOrEqual", time_range = "30m", occurrence = "Always" }
      missing_data = {}
    }
    silent = {
      description  = "No log lines."
      query        = "_sourceCategory=*/api | count by service"
      group_fields = ["service"]
      missing_data = { time_range = "30m", frequency = "5m" }
    }
  }
}

provider "sumologic" {
  environment = "eu"
}

run "monitors" {
  command = apply
  module {
    source = "./modules/monitors"
  }

  assert {
    condition = one(one(one(sumologic_monitor.this["slow-api-data"].trigger_conditions).logs_static_condition).critical) == {
      time_range = "10m"
      frequency  = "1m"
      alert      = tolist([{ threshold = 5, threshold_type = "GreaterThan" }])
      resolution = tolist([{ threshold = 5, threshold_type = "LessThanOrEqual", resolution_window = "10m" }])
    }
    error_message = "a monitor must fire above 5 and resolve at 5 or fewer, over the same time"
  }

  assert {
    condition     = one(one(sumologic_monitor.this["slow-api-data"].trigger_conditions).logs_static_condition).field == "slow_requests"
    error_message = "the threshold must be for the field"
  }

  assert {
    condition = [for name in ["slow-api-data", "cpu", "silent"] : one(sumologic_monitor.this[name].notifications).run_for_trigger_types] == [
      tolist(["Critical", "ResolvedCritical"]),
      tolist(["Critical", "ResolvedCritical", "Warning", "ResolvedWarning", "MissingData", "ResolvedMissingData"]),
      tolist(["MissingData", "ResolvedMissingData"]),
    ]
    error_message = "every trigger must be sent with its recovery"
  }

  assert {
    condition = alltrue([
      for monitor in values(sumologic_monitor.this) : one(one(monitor.notifications).notification).connection_id == var.connection.id
    ])
    error_message = "every monitor must notify the connection"
  }

  assert {
    condition = alltrue([
      for name, monitor in sumologic_monitor.this : monitor.group_notifications && monitor.notification_group_fields == tolist(var.monitors[name].group_fields)
    ])
    error_message = "alerts must be grouped by the group fields"
  }

  assert {
    condition = jsondecode(one(one(sumologic_monitor.this["slow-api-data"].notifications).notification).payload_override) == {
      schema = "firebreak.sumologic.v1"
      group = {
        instance_id = "{{ResultsJson.instance_id}}"
        service     = "{{ResultsJson.service}}"
        env         = "{{ResultsJson.env}}"
      }
      results = "{{ResultsJson}}"
    }
    error_message = "the template must carry each group field and each label field, and all else as it was"
  }

  assert {
    condition     = jsondecode(one(one(sumologic_monitor.this["cpu"].notifications).notification).payload_override).group == { host = "{{ResultsJson.host}}" }
    error_message = "the template must carry no other fields"
  }

  assert {
    condition = alltrue([
      for monitor in values(sumologic_monitor.this) :
      one(one(monitor.notifications).notification).payload_override == one(one(monitor.notifications).notification).resolution_payload_override
    ])
    error_message = "alert and recovery must have one template"
  }

  assert {
    condition     = one(one(one(one(sumologic_monitor.this["cpu"].trigger_conditions).metrics_static_condition).warning).resolution).threshold_type == "LessThan"
    error_message = "a metrics monitor must resolve by the reverse of what it fires on"
  }

  assert {
    condition     = one(one(sumologic_monitor.this["silent"].trigger_conditions).logs_missing_data_condition).time_range == "30m"
    error_message = "missing data must be a condition of its own"
  }

  assert {
    condition     = length(one(sumologic_monitor.this["silent"].trigger_conditions).logs_static_condition) == 0
    error_message = "a monitor for missing data has no threshold"
  }
}

run "refuses_a_name_that_runbooks_cannot_match" {
  command = plan
  module {
    source = "./modules/monitors"
  }
  variables {
    monitors = { "Slow API" = { description = "x", query = "x", missing_data = {} } }
  }
  expect_failures = [var.monitors]
}

run "refuses_a_monitor_that_never_fires" {
  command = plan
  module {
    source = "./modules/monitors"
  }
  variables {
    monitors = { idle = { description = "x", query = "x" } }
  }
  expect_failures = [var.monitors]
}

run "refuses_a_group_that_the_query_does_not_give" {
  command = plan
  module {
    source = "./modules/monitors"
  }
  variables {
    monitors = { mixed = { description = "x", query = "error | count by service", group_fields = ["host"], missing_data = {} } }
  }
  expect_failures = [var.monitors]
}

run "refuses_an_unknown_threshold" {
  command = plan
  module {
    source = "./modules/monitors"
  }
  variables {
    monitors = { odd = { description = "x", query = "x", critical = { threshold = 1, threshold_type = "Above" } } }
  }
  expect_failures = [var.monitors]
}

run "refuses_another_template" {
  command = plan
  module {
    source = "./modules/monitors"
  }
  variables {
    connection = { id = "x", payload = "{}" }
  }
  expect_failures = [var.connection]
}
