# One legacy scheduled search for each entry: it fires for each row of its result and never says that it is over.
locals {
  payload = file("${path.module}/payload.json")

  payloads = {
    for name, search in var.searches : name => replace(
      local.payload,
      "\"group\": {}",
      "\"group\": { ${join(", ", [for field in search.label_fields : "\"${field}\": \"{{Results.${field}}}\""])} }"
    )
  }
}

resource "sumologic_log_search" "this" {
  for_each = var.searches

  name                = each.key
  description         = each.value.description
  parent_id           = var.folder_id
  query_string        = trimspace(each.value.query)
  parsing_mode        = "AutoParse"
  run_by_receipt_time = true

  time_range {
    begin_bounded_time_range {
      from {
        relative_time_range {
          relative_time = each.value.range
        }
      }
    }
  }

  schedule {
    schedule_type     = each.value.schedule
    cron_expression   = each.value.cron
    time_zone         = each.value.time_zone
    mute_error_emails = false

    parseable_time_range {
      begin_bounded_time_range {
        from {
          relative_time_range {
            relative_time = each.value.range
          }
        }
      }
    }

    threshold {
      count          = each.value.more_than
      operator       = "gt"
      threshold_type = "group"
    }

    notification {
      webhook_search_notification {
        webhook_id          = var.connection.id
        payload             = local.payloads[each.key]
        itemize_alerts      = true
        max_itemized_alerts = each.value.most_alerts
      }
    }
  }
}
