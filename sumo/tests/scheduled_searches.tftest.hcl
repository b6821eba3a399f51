# What scheduled searches must say, and which are refused.
variables {
  connection = { id = "0000000000ABC123", payload = "{}" }
  folder_id  = "0000000000A1B2C3"
  searches = {
    failed-logins = {
      description  = "Failed logins by user."
      query        = "_sourceCategory=auth \"login failed\" | count by user, host\n"
      label_fields = ["user", "host"]
      more_than    = 20
    }
    nightly = {
      description = "Jobs that did not run."
      query       = "_sourceCategory=jobs | count by job"
      schedule    = "1Day"
      cron        = "0 0 6 ? * 1-7 *"
      range       = "-1d"
    }
  }
}

provider "sumologic" {
  environment = "eu"
}

run "searches" {
  command = apply
  module {
    source = "./modules/scheduled_searches"
  }

  assert {
    condition = alltrue([
      for search in values(sumologic_log_search.this) :
      one(one(one(search.schedule).notification).webhook_search_notification).webhook_id == var.connection.id
    ])
    error_message = "every search must notify the connection"
  }

  assert {
    condition = alltrue([
      for search in values(sumologic_log_search.this) :
      one(one(one(search.schedule).notification).webhook_search_notification).itemize_alerts
    ])
    error_message = "each row must become an alert of its own"
  }

  assert {
    condition     = jsondecode(one(one(one(sumologic_log_search.this["failed-logins"].schedule).notification).webhook_search_notification).payload).group == { user = "{{Results.user}}", host = "{{Results.host}}" }
    error_message = "the template must carry the label fields"
  }

  assert {
    condition     = jsondecode(one(one(one(sumologic_log_search.this["nightly"].schedule).notification).webhook_search_notification).payload).SearchName == "{{SearchName}}"
    error_message = "the template must name the search"
  }

  assert {
    condition     = one(one(sumologic_log_search.this["failed-logins"].schedule).threshold) == { count = 20, operator = "gt", threshold_type = "group" }
    error_message = "the search must alert above its threshold of rows"
  }

  assert {
    condition     = one(sumologic_log_search.this["nightly"].schedule).cron_expression == "0 0 6 ? * 1-7 *"
    error_message = "a daily search must say when"
  }
}

run "refuses_a_search_that_does_not_aggregate" {
  command = plan
  module {
    source = "./modules/scheduled_searches"
  }
  variables {
    searches = { raw = { description = "x", query = "_sourceCategory=auth error" } }
  }
  expect_failures = [var.searches]
}

run "refuses_a_daily_search_without_a_time" {
  command = plan
  module {
    source = "./modules/scheduled_searches"
  }
  variables {
    searches = { daily = { description = "x", query = "x | count by y", schedule = "1Day" } }
  }
  expect_failures = [var.searches]
}

run "refuses_an_absolute_range" {
  command = plan
  module {
    source = "./modules/scheduled_searches"
  }
  variables {
    searches = { wide = { description = "x", query = "x | count by y", range = "today" } }
  }
  expect_failures = [var.searches]
}
